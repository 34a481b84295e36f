"""Phrases: what people write around names and between them, in English and Japanese, and a
little of it in the page's other languages.

Nothing here knows which names there are: it gives ways to read a phrase, the plainest first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_WORDS = 16  # of a phrase that is searched for a name
MAX_PHRASE = 120  # characters of it
# What may stand before a name, after it, and around it, word by word.
BEFORE = frozenset(
    """
    a about all also an and any are around at both box boxes can count could cut detect draw
    each every few find for from get give hello hey hi highlight how i identify image images in is
    just like locate look looking many mark mask masks me my need number of on one only or our out
    outline photo photos pic picture pictures please recognise recognize search see segment
    several show sketch some spot that the their there these this those three to two us want we
    what where which with would you your drawing drawings four five six seven eight nine ten
    emoji icon couple pair bunch single either maybe perhaps i'd i'm let's where's there's that's
    what's everything label labels object objects thing things named called like would
    un une le la les des du tous toutes der die das den dem ein eine einen einem einer alle el los
    las unos unas todos todas um uma os ce cette ces mon ma mes diese diesen dieser mein meine
    meinen esta este estos estas mi mis meu minha o
    trouve trouvez trouver cherche cherchez chercher montre montrez montre-moi montrez-moi moi
    encadre encadrez détecte détectez détecter où est sont
    finde finden such suche suchen zeig zeige zeigen mir erkenne markiere umrande wo ist sind bitte
    encuentra encontrar busca buscar muestra muéstrame detecta detectar marca dónde donde está están
    por favor encontre ache procure procurar mostre detecte marque onde estão
    모든
    """.split()  # noqa: SIM905  a page of words reads as one
)
AFTER = frozenset(
    """
    a all also are can do drawing drawings emoji emojis for from here i icon icons image images in
    is it me now of on out pic picture pictures photo photos please scene see thank thanks that the
    them there they this too us visible we you
    bitte hier da dort finden suchen ici là aquí ahí aqui ali por favor s'il te vous plaît
    찾아 찾아줘 찾아주세요 보여줘 보여주세요 알려줘 알려주세요 줘 주세요 어디 어디에 있어 있어요
    있나요 있습니까
    """.split()  # noqa: SIM905
)
# Marks at the ends of a phrase, in letters of usual width: full stops, quotes, brackets.
EDGE = " \t.,;:=!?¿¡\"'`()[]{}<>\u2018\u2019\u201c\u201d\u2026\u00ab\u00bb。、・「」『』"
# What is understood as a mark between names where names stand on both sides. Kana only there.
BETWEEN = re.compile(
    r"(?<!\S)(?:and|or|plus|vs|versus|as well as)(?!\S)|[&/|+\uff06\uff0f\uff5c\uff0b・]",
    re.IGNORECASE,
)
KANA_BETWEEN = re.compile(
    r"および|及び|または|又は|あるいは|もしくは|ならびに|そして|それから|それと|[とかや]"
)
# The same in the page's other languages.
BETWEEN_ABROAD = re.compile(
    r"(?<!\S)(?:et|ou|und|oder|y|e|o)(?!\S)|그리고|또는|하고|[와과](?=\s)|以及|还有|[和与跟或]",
    re.IGNORECASE,
)
# What stands behind a Korean noun, and what asks for a thing before its Chinese name.
KOREAN_AFTER = re.compile(r"(?<=[가-힣])(?:들)?(?:이|가|은|는|을|를|도|만)?$")
CHINESE_BEFORE = re.compile(
    r"请?(?:帮我|给我)?(?:找到|找出|找|检测|标出|圈出|框出|显示|看看)?(?:一下)?"
    r"(?:(?:这|那)?(?:张|幅|个)?(?:图|图片|照片|图像|画)(?:里|中|上)?的)?(?:所有的?|全部的?|每一?[只个辆])?"
)
JAPANESE_BEFORE = re.compile(
    r"(?:(?:この|その)?(?:写真|画像|絵)(?:の中)?(?:の|から|で|に)|すべての|全ての|全部の|この|その|"
    r"あの|[0-9一二三四五六七八九十]+[匹個台本枚頭羽人つ]の)+"
)
JAPANESE_AFTER = re.compile(
    r"(?:の(?:写真|絵|画像|イラスト))?(?:ちゃん|さん|たち|達|など|等)?[はをがも]?"
    r"(?:すべて|全て|全部|[0-9一二三四五六七八九十]+[匹個台本枚頭羽人つ])?[をに]?"
    r"(?:(?:どこ|何[匹個台本枚頭羽人]|いくつ|探|さが|見つけ|みつけ|検出|囲|かこ|切り抜|切りぬ|教え|"
    r"おしえ|見せ|みせ|数え|描|ください|下さい|お願い|おねがい|いる|いま|ある|あり|です|だ)[ぁ-ん]*){0,2}"
)


def tidy(phrase: str) -> str:
    """A phrase without marks at its ends, in letters of usual width.   " cat. "  ->  "cat" """
    return unicodedata.normalize("NFKC", phrase).strip(EDGE)


def words_of(phrase: str) -> list[str]:
    """Its words without marks around them."""
    words = (word.strip(EDGE) for word in tidy(phrase).split())
    return [word for word in words if word]


def cores(phrase: str) -> Iterator[str]:
    """What a phrase may be about, from the whole of it to less and less.

    "find all dogs please"  ->  "find all dogs please", "find all dogs", "all dogs please", ...
    Nothing of a phrase that is too long to be about one thing.
    """
    if len(phrase) > MAX_PHRASE:
        return
    words = words_of(phrase)[:MAX_WORDS]
    first = next((n for n, word in enumerate(words) if not is_before(word)), len(words))
    last = next((n for n, word in enumerate(reversed(words)) if not is_after(word)), len(words))
    ends = range(len(words), max(len(words) - last, 0) - 1, -1)
    for start in range(first + 1):
        yield from (" ".join(words[start:end]) for end in ends if start < end)
    yield from japanese_cores(tidy(phrase))
    yield from korean_cores(words[first : len(words) - last])
    yield CHINESE_BEFORE.sub("", tidy(phrase), count=1)


def korean_cores(words: list[str]) -> Iterator[str]:
    """Without what stands behind the noun.   고양이들을  ->  고양이들, 고양이"""
    phrase = " ".join(words)
    ends = {found.start() for found in KOREAN_AFTER.finditer(phrase) if found.group()}
    yield from (phrase[:end] for end in sorted(ends, reverse=True))


def japanese_cores(phrase: str) -> Iterator[str]:
    """すべての猫を探してください  ->  猫"""
    found = JAPANESE_BEFORE.match(phrase)
    rest = phrase[found.end() :] if found else phrase
    yield rest
    for end in range(len(rest) - 1, 0, -1):
        if JAPANESE_AFTER.fullmatch(rest, end):
            yield rest[:end]


def core(phrase: str) -> str:
    """The least that a phrase may be about: no word before or after that says nothing."""
    words = words_of(phrase)
    while words and is_before(words[0]):
        words = words[1:]
    while words and is_after(words[-1]):
        words = words[:-1]
    return " ".join(words)


def is_before(word: str) -> bool:
    """Whether a word may stand before a name and say nothing."""
    return word.lower().replace("\u2019", "'") in BEFORE or word.isdecimal()


def is_after(word: str) -> bool:
    """Whether a word may stand after a name and say nothing."""
    return word.lower() in AFTER
