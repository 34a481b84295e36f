"""Questions: those that a checkpoint was taught, in other words for them and in other languages.

A checkpoint that lists its "questions" answers any other one as if it were one of them, and reads
small letters alone. What is asked in other words for one of its questions is asked in its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gemma_vision.requests.interpretation.english import plural, with_article
from gemma_vision.requests.interpretation.phrases import core
from gemma_vision.requests.interpretation.question_languages import (
    LEFT,
    RIGHT,
    SIDES,
    patterns_of,
)
from gemma_vision.requests.interpretation.vocabulary import MAX_NAME_WORDS, key, vocabulary_of
from gemma_vision.requests.validation import excerpt
from postprocess.tokens import Notice

POLITE = r"(?:please |can you |could you |tell me |do you know )*"
PICTURE = r"(?:it|(?:this|the) (?:picture|image|photo|drawing|scene))"
# "Isn't there a cat?" is answered like "is there a cat?"; "is there no cat?" has no one answer.
NOT = r"(?:n'?t)?"
NO_SUCH = re.compile(r"^(?:not (?:a|an|any)|no|not) ", re.IGNORECASE)
HERE = rf"(?:(?:in|on) {PICTURE}|here|there)"
# The same in Japanese: where it is asked about, how things are counted, and how a question ends.
JA_HERE = (
    r"(?:(?:この|その)?(?:写真|画像|絵|イラスト)(?:の中)?(?:に|で)?は?、?|ここには?|そこには?)?"
)
JA_MANY = (
    r"(?:全部で)?(?:(?:何|なん)[匹個台本枚頭羽人冊杯隻機両脚着軒棟つ]|いくつ|どれくらい|どのくらい)"
)
JA_IS = r"(?:(?:写って|映って)?い(?:る|ます)|ある|あります|見え(?:る|ます))"
JA_END = r"(?:です|でしょう)?(?:か|の|のか|かな)?"


@dataclass(frozen=True)
class QuestionForm:
    """A kind of question: its `wording`, and how people `say` it, in letters of any size.

    The wording has places for what the question is about, {about}, and for a {side}. Beside each
    way to say it stands whether that is read without spaces.
    """

    wording: str
    say: tuple[tuple[re.Pattern[str], bool], ...]

    def match(self, said: str) -> re.Match[str] | None:
        """What was said in one of the languages, if it is a question of this kind."""
        whole = said.replace(" ", "")
        found = (way.fullmatch(whole if is_spaceless else said) for way, is_spaceless in self.say)
        return next(filter(None, found), None)

    def write(self, about: str = "", side: str = "") -> str:
        """Without a question mark.   "cats"  ->  "how many cats are there" """
        return self.wording.format(about=about, side=side)


def form(kind: str, wording: str, say: str, japanese: str) -> tuple[str, QuestionForm]:
    """A row of the table: a kind, what was taught, and how that is said in English and Japanese."""
    english = re.compile(f"{POLITE}(?:{say})", re.IGNORECASE), False
    spaceless = re.compile(f"{JA_HERE}(?:{japanese})"), True
    return kind, QuestionForm(wording, (english, spaceless, *patterns_of(kind)))


FORMS: Mapping[str, QuestionForm] = dict(
    [
        form(
            "how_many",
            "how many {about} are there",
            r"(?:how many|count|(?:what is |what's )?(?:the )?number of) (?P<about>.+?)"
            rf"(?: (?:does {PICTURE} (?:have|show|contain)|can be seen))?(?: {HERE})?",
            rf"(?P<about>.+?)[はが]?{JA_HERE}{JA_MANY}(?:{JA_IS})?{JA_END}|"
            rf"{JA_MANY}の(?P<counted>.+?)が{JA_IS}{JA_END}|"
            r"(?P<number>.+?)の(?:数|かず)(?:[はを](?:教えて|数えて|いくつ)?)?(?:ください|ですか)?",
        ),
        form(
            "is_there",
            "is there {about}",
            rf"(?:is|are){NOT} there (?:at least )?(?P<about>.+)|"
            rf"(?:do{NOT}|can(?:'?t|not)?) (?:you|we|i) see (?P<seen>.+)|"
            rf"does{NOT} (?:this|{PICTURE}) (?:have|show|contain) (?P<shown>.+)|"
            rf"(?:is|are) (?P<here>.+?) (?:{HERE}|visible|to be seen)(?: {HERE})?|"
            rf"can (?P<seeable>.+?) be seen(?: {HERE})?|"
            r"any (?P<any>.+)",
            rf"(?P<about>(?:(?!何|なに|どこ|誰|だれ).)+?)[はがも]{JA_HERE}{JA_IS}{JA_END}",
        ),
        form(
            "beside",
            "what is {side} of the {about}",
            rf"(?:what|which thing)(?: is|'s) (?:on |to )?(?:the )?(?P<side>{LEFT}|{RIGHT})"
            r"(?: side)? (?:of|from) (?P<about>.+)",
            r"(?P<about>.+?)の(?P<side>左|右)(?:側|がわ|隣|となり|横)?(?:に|には|は)"
            rf"(?:(?:いる|ある)(?:の|もの)は)?(?:何|なに|なん)が?(?:{JA_IS})?{JA_END}",
        ),
        form(
            "biggest",
            "which thing is the biggest",
            r"(?:what|which)(?: thing| object| one)?(?: is|'s) (?:the )?(?:biggest|largest)"
            r"(?: thing| object| one)?(?: (?:in|of|on) (?:this|the|here).*)?",
            r"(?:一番|いちばん|最も|もっとも)(?:大きい|大きな|おおきい)(?:もの|物|の)?(?:は|って)?"
            rf"(?:何|なに|なん|どれ){JA_END}",
        ),
    ]
)


@dataclass(frozen=True)
class QuestionSet:
    """The questions of a checkpoint: rows of `FORMS`, about its names."""

    kinds: tuple[str, ...]
    names: tuple[str, ...]

    def read(self, text: str) -> str | None:
        """A question as the checkpoint was taught it; None where it is none of its own.

        "How many kittens do you see?"  ->  "how many cats are there?"
        """
        found = self._parse(text)
        return found and self.write(*found)

    def find_unknown(self, text: str) -> str | None:
        """What a question of a taught kind is about, where that is no name of the checkpoint.

        "Is there no zebra in it?"  ->  "zebra";   "is there a red cat?"  ->  None
        """
        _, phrase, _ = self._parse(text) or ("", "", "")
        phrase = NO_SUCH.sub("", phrase)
        about, vocabulary = core(phrase), vocabulary_of(self.names)
        if len(about.split()) > MAX_NAME_WORDS or vocabulary.find(phrase):
            return None
        return None if any(vocabulary.named_within(phrase)) else about or None

    def _parse(self, text: str) -> tuple[str, str, str] | None:
        """The kind of a question, the phrase that it is about and its side; "" without those."""
        said = " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())
        said = said.strip(" ?.!。\"'「」¿¡")
        for kind in self.kinds:
            if found := FORMS[kind].match(said):
                parts = {name: part for name, part in found.groupdict().items() if part}
                side = parts.pop("side", "").lower()
                return kind, next(iter(parts.values()), ""), SIDES.get(side, side)
        return None

    def write(self, kind: str, phrase: str = "", side: str = "") -> str | None:
        """The question about what a phrase names; None where it is no name of the checkpoint."""
        if not phrase:
            return f"{FORMS[kind].write()}?"
        match = vocabulary_of(self.names).find(phrase)
        if match is None:
            return None
        shaped = {"how_many": plural, "is_there": with_article}.get(kind, str)(match.name)
        return f"{FORMS[kind].write(shaped, side)}?"

    def find_doubts(self, text: str) -> Iterator[Notice]:
        """A question that was read as another one, or is none of the checkpoint's own."""
        if self.read(text) is None:
            about = self.find_unknown(text)
            why = f" does not know {excerpt(about)}; it" if about else ""
            asks = " ".join(self.examples)
            said = f"This checkpoint{why} was taught questions such as {asks} To others it guesses."
            yield Notice("unknown_question", 0, said)
        elif other := self.other_words(text):
            yield Notice("read_as", 0, f"{excerpt(text)} was read as {other!r}.")

    def other_words(self, text: str) -> str | None:
        """The taught question, where more than the size of letters and marks is other in it."""
        taught = self.read(text)
        return taught if taught and key(taught) != key(text) else None

    @property
    def examples(self) -> list[str]:
        """A question of each kind, about the first names."""
        about = dict(zip(self.kinds, self.names * len(self.kinds), strict=False))
        asked = {kind: "" if kind == "biggest" else name for kind, name in about.items()}
        written = (self.write(kind, name, LEFT) for kind, name in asked.items())
        return [one for one in written if one]


def questions_of(kinds: Sequence[str], names: Sequence[str]) -> QuestionSet | None:
    """The questions that notes list; None where they list none, so that any may be asked."""
    known = tuple(kind for kind in FORMS if kind in kinds)
    return QuestionSet(known, tuple(names)) if known and names else None
