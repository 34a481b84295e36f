"""Question languages: how the questions of `FORMS` are said in the page's other languages.

A pattern is of a whole question without marks at its ends, in letters of any size. Its group `side`
is left or right, and its other groups are what the question is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LEFT, RIGHT = "left", "right"
SIDES = {
    **dict.fromkeys(("左", "links", "gauche", "izquierda", "esquerda", "esquerdo", "왼"), LEFT),
    **dict.fromkeys(("右", "rechts", "droite", "derecha", "direita", "direito", "오른"), RIGHT),
}
# Where it is asked about: here, there, in this picture.
DE_HERE = (
    r"(?:hier|da|dort|drauf|drin|zu sehen|abgebildet|"
    r"(?:im|auf dem|in dem|auf diesem|in diesem) (?:bild|foto|photo))"
)
DE = rf"(?: {DE_HERE})*"
FR = (
    r"(?: (?:ici|là|visibles?|"
    r"(?:sur|dans) (?:l'image|la photo|le dessin|cette (?:image|photo)|ce dessin)))*"
)
ES = r"(?: (?:aqu[ií]|ah[ií]|all[ií]|en (?:la|esta) (?:imagen|foto|fotografía)|en el dibujo))*"
PT = r"(?: (?:aqui|a[ií]|ali|n(?:a|esta) (?:imagem|foto|fotografia)|no desenho))*"
ZH = (
    r"(?:在?(?:这|那)?(?:张|幅|个)?(?:图|图片|照片|图像|画|画面)(?:里面|当中|里|中|上)?|"
    r"在?这里|里面)?"
)
KO = r"(?:(?:이|그)?(?:사진|그림|이미지|화면)(?:속|안)?(?:에는|에서|에)?|여기(?:에는|에)?)?"
ZH_ONE = r"[只个辆条匹头本把台架艘瓶杯棵张朵件顶双支座盏列部块根]"  # what things are counted in
ZH_MANY = rf"(?:多少|几){ZH_ONE}?"
KO_MANY = r"(?:모두|전부|총)?(?:몇(?:마리|개|대|명|권|잔|병|그루|송이|장|척|채|켤레)?|얼마나)"
KO_IS = r"(?:있(?:어요|습니까|나요|을까요|니|어|는지)|보(?:여요|입니까|이나요|이니|여))"
KO_WHAT = r"(?:무엇|뭐|뭣)(?:이|가)?"

PATTERNS: Mapping[str, Mapping[str, str]] = {  # by kind and language
    "how_many": {
        "de": (
            r"wie ?viele (?P<about>.+?)"
            r"(?: (?:sind|gibt es|siehst du|sehen sie|sieht man|kann man sehen|zeigt das bild))?"
            rf"{DE}|(?:zähle?|(?:die )?anzahl(?: der| von)?) (?P<counted>.+?){DE}"
        ),
        "fr": (
            r"(?:il y a )?combien (?:est-ce qu'il y a |y a[- ]t[- ]il )?(?:de |d')(?P<about>.+?)"
            r"(?: (?:y a[- ]t[- ]il|est-ce qu'il y a|il y a|vois-tu|voyez-vous|voit-on|sont))?"
            rf"{FR}|(?:compte[rz]?|(?:le )?nombre) (?:de |d'|les |des )?(?P<counted>.+?){FR}"
        ),
        "es": (
            r"cu[aá]nt[oa]s (?P<about>.+?)(?: (?:hay|ves|se ven|aparecen))?"
            rf"{ES}|(?:cuenta|(?:el )?n[uú]mero de) (?P<counted>.+?){ES}"
        ),
        "pt": (
            r"quant[oa]s (?P<about>.+?)(?: (?:h[aá]|existem|tem|vês|voc[eê] v[eê]|aparecem))?"
            rf"{PT}|(?:conte|(?:o )?n[uú]mero de) (?P<counted>.+?){PT}"
        ),
        "zh": (
            rf"{ZH}(?:一共|总共)?有?{ZH_MANY}(?P<about>.+?)|"
            rf"{ZH}(?P<counted>.+?)(?:一共|总共)?有{ZH_MANY}"
        ),
        "ko": rf"{KO}(?P<about>.+?){KO_MANY}(?:나)?{KO_IS}?|{KO}{KO_MANY}의(?P<counted>.+?){KO_IS}",
    },
    "is_there": {
        "de": (
            rf"(?:gibt es|siehst du|sehen sie|sieht man|zeigt das bild){DE} (?P<about>.+?){DE}|"
            rf"(?:ist|sind) (?:{DE_HERE} (?P<there>.+?){DE}|(?P<named>.+?)(?: {DE_HERE})+)"
        ),
        "fr": (
            r"(?:est-ce qu'il y a|y a[- ]t[- ]il|il y a|vois-tu|voyez-vous|voit-on|"
            r"est-ce qu'on voit)"
            rf"{FR} (?:un |une |des )?(?P<about>.+?){FR}"
        ),
        "es": rf"(?:hay|ves|se ve|se ven|aparece){ES} (?:alg[uú]n |alguna )?(?P<about>.+?){ES}",
        "pt": rf"(?:h[aá]|existe|tem|vês|voc[eê] v[eê]){PT} (?:algum |alguma )?(?P<about>.+?){PT}",
        "zh": (
            rf"{ZH}(?:有没有|是否有|能看到|看得到|有)(?:一?{ZH_ONE})?"
            r"(?P<about>(?:(?!什么|多少|几).)+?)(?:吗|么|嘛)?"
        ),
        "ko": rf"{KO}(?P<about>(?:(?!무엇|뭐|몇|얼마나|어디).)+?){KO_IS}",
    },
    "beside": {
        "de": (
            r"was (?:ist|liegt|steht|sitzt|befindet sich) (?:auf der )?"
            r"(?P<side>links|rechts)(?:en seite)? (?:von |vom |neben )(?P<about>.+)"
        ),
        "fr": (
            r"(?:qu'est-ce qui (?:est|se trouve)|qu'est-ce qu'il y a|qu'y a[- ]t[- ]il) à (?:la )?"
            r"(?P<side>gauche|droite) (?:de la |de l'|de |du |des |d'un |d'une |d')(?P<about>.+)"
        ),
        "es": (
            r"qu[eé] (?:hay|est[aá]|se ve) (?:a|en) la (?P<side>izquierda|derecha) "
            r"(?:del |de la |de un |de una |de )(?P<about>.+)"
        ),
        "pt": (
            r"(?:o )?que (?:h[aá]|est[aá]|tem|fica|existe) (?:à|a|ao|do) (?:lado )?"
            r"(?P<side>esquerd[ao]|direit[ao]) (?:do |da |de um |de uma |de )(?P<about>.+)"
        ),
        "zh": rf"{ZH}(?P<about>.+?)的?(?P<side>左|右)(?:边|侧|面)(?:是|有)(?:什么|啥)(?:东西)?",
        "ko": (
            rf"{KO}(?P<about>.+?)의?(?P<side>왼|오른)(?:쪽|편)(?:에는|에|엔|은)?"
            rf"{KO_WHAT}(?:{KO_IS}|인가요|입니까)?"
        ),
    },
    "biggest": {
        "de": (
            r"(?:was|welches (?:ding|objekt)|welcher gegenstand) ist (?:am|das|der) "
            rf"gr(?:ö|oe)(?:ß|ss)ten?(?: (?:ding|objekt|gegenstand))?{DE}"
        ),
        "fr": (
            r"(?:quel(?:le)? est|qu'est-ce qui est) (?:la |le |l')?(?:chose |objet )?(?:la |le )?"
            rf"plus (?:grande?|gros|grosse)(?: chose| objet)?{FR}"
        ),
        "es": (
            r"(?:cu[aá]l|qu[eé])(?: cosa| objeto)? es (?:la |el |lo )?(?:cosa |objeto )?"
            rf"(?:m[aá]s grande|mayor){ES}"
        ),
        "pt": (
            r"(?:qual|o que)(?: coisa| objeto)?(?: [eé])? (?:a |o )?(?:coisa |objeto )?(?:[eé] )?"
            rf"(?:a |o )?maior(?: coisa| objeto)?{PT}"
        ),
        "zh": (
            rf"{ZH}(?:哪个|哪一个|哪样|什么)(?:东西|物体)?是?最大的?(?:东西)?|"
            rf"{ZH}最大的(?:东西|物体)?是(?:什么|哪个|哪一个)"
        ),
        "ko": (
            rf"{KO}(?:가장|제일)큰(?:것|물건|물체)(?:은|이)?(?:무엇|뭐|어느것)"
            r"(?:인가요|입니까|이에요|예요|이야|야|죠)?"
        ),
    },
}
SPACELESS = ("zh", "ko")  # what is said in them is read without spaces


def patterns_of(kind: str) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """How a kind of question is said in each language, and whether that is read without spaces."""
    return tuple(
        (re.compile(pattern, re.IGNORECASE), language in SPACELESS)
        for language, pattern in PATTERNS[kind].items()
    )
