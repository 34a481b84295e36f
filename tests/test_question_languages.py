"""Questions and wishes in the page's other languages: German, French, Spanish, Portuguese, Chinese
and Korean."""

import pytest

from gemma_vision.requests.interpretation.question_languages import PATTERNS
from gemma_vision.requests.interpretation.questions import FORMS, QuestionSet
from gemma_vision.requests.interpretation.vocabulary import vocabulary_of

NAMES = ("cat", "dog", "car", "apple", "elephant", "sheep", "traffic light")
TAUGHT = QuestionSet(tuple(FORMS), NAMES)
ASKED = [
    ("Wie viele Katzen sind da?", "how many cats are there?"),
    ("wieviele Hunde siehst du auf dem Bild", "how many dogs are there?"),
    ("Zähle die Autos", "how many cars are there?"),
    ("Gibt es eine Katze?", "is there a cat?"),
    ("Ist da ein Hund?", "is there a dog?"),
    ("Ist ein Elefant im Bild?", "is there an elephant?"),
    ("Was ist links von der Katze?", "what is left of the cat?"),
    ("Was steht rechts vom Auto?", "what is right of the car?"),
    ("Was ist am größten?", "which thing is the biggest?"),
    ("Welches Ding ist das größte?", "which thing is the biggest?"),
    ("Combien de chats y a-t-il ?", "how many cats are there?"),
    ("Combien y a-t-il de chiens ?", "how many dogs are there?"),
    ("Combien d'éléphants vois-tu sur l'image ?", "how many elephants are there?"),
    ("Il y a combien de voitures ?", "how many cars are there?"),
    ("Y a-t-il un chat ?", "is there a cat?"),
    ("Est-ce qu'il y a des moutons ici ?", "is there a sheep?"),
    ("Qu'est-ce qui est à gauche du chien ?", "what is left of the dog?"),
    ("Qu'y a-t-il à droite de l'éléphant ?", "what is right of the elephant?"),
    ("Quelle est la plus grande chose ?", "which thing is the biggest?"),
    ("Quel est le plus grand objet ?", "which thing is the biggest?"),
    ("¿Cuántos gatos hay?", "how many cats are there?"),
    ("¿Cuántas manzanas hay en la imagen?", "how many apples are there?"),
    ("¿Hay un perro?", "is there a dog?"),
    ("¿Hay algún coche aquí?", "is there a car?"),
    ("¿Qué hay a la izquierda del gato?", "what is left of the cat?"),
    ("¿Cuál es el objeto más grande?", "which thing is the biggest?"),
    ("Quantos gatos há?", "how many cats are there?"),
    ("Quantas maçãs tem na imagem?", "how many apples are there?"),
    ("Há um cachorro?", "is there a dog?"),
    ("O que há à esquerda do gato?", "what is left of the cat?"),
    ("Qual é a maior coisa?", "which thing is the biggest?"),
    ("有几只猫?", "how many cats are there?"),
    ("图里有多少辆汽车?", "how many cars are there?"),
    ("有没有狗?", "is there a dog?"),
    ("图片里有一只猫吗?", "is there a cat?"),
    ("猫的左边是什么?", "what is left of the cat?"),
    ("狗右边有什么", "what is right of the dog?"),
    ("哪个东西最大?", "which thing is the biggest?"),
    ("最大的东西是什么", "which thing is the biggest?"),
    ("고양이가 몇 마리 있어요?", "how many cats are there?"),
    ("고양이 몇 마리?", "how many cats are there?"),
    ("고양이 있어요?", "is there a cat?"),
    ("사진에 개가 있나요?", "is there a dog?"),
    ("고양이 왼쪽에 무엇이 있나요?", "what is left of the cat?"),
    ("자동차의 오른쪽에는 뭐가 있어?", "what is right of the car?"),
    ("가장 큰 것은 무엇인가요?", "which thing is the biggest?"),
    ("제일 큰 물건이 뭐예요?", "which thing is the biggest?"),
]
WISHES = [
    ("Finde alle Katzen", "cat"),
    ("Wo ist die Katze?", "cat"),
    ("Zeig mir bitte den Elefanten", "elephant"),
    ("trouve le chat, s'il te plaît", "cat"),
    ("Où est le chien ?", "dog"),
    ("Busca los gatos por favor", "cat"),
    ("¿Dónde está el perro?", "dog"),
    ("Onde está o gato?", "cat"),
    ("encontre os cachorros", "dog"),
    ("고양이를 찾아줘", "cat"),
    ("모든 고양이들을 찾아 주세요", "cat"),
    ("고양이가 어디에 있나요?", "cat"),
    ("找到所有的猫", "cat"),
    ("请帮我找出图片中的猫", "cat"),
]


@pytest.mark.parametrize(("said", "taught"), ASKED)
def test_a_question_is_read_as_the_taught_one(said, taught):
    assert TAUGHT.read(said) == taught
    assert TAUGHT.read(said.upper()) == taught
    assert TAUGHT.read(said.rstrip(" ?")) == taught


@pytest.mark.parametrize(("said", "name"), WISHES)
def test_a_wish_is_for_the_name_in_it(said, name):
    found = vocabulary_of(NAMES).find(said)
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("Gibt es ein Nashorn?", "Nashorn"),
        ("Wie viele Nashörner siehst du?", "Nashörner"),
        ("Combien de licornes y a-t-il ?", "licornes"),
        ("¿Hay un unicornio?", "unicornio"),
        ("Há um unicórnio?", "unicórnio"),
        ("有独角兽吗?", "独角兽"),
    ],
)
def test_what_it_does_not_know_is_told(said, about):
    assert TAUGHT.read(said) is None
    assert TAUGHT.find_unknown(said) == about


@pytest.mark.parametrize(
    "said",
    [
        "Ist das eine Katze?",
        "Warum schläft die Katze?",
        "Quelle est la couleur du chat ?",
        "¿De qué color es el gato?",
        "O gato está dormindo?",
        "猫是什么颜色的?",
        "고양이는 무슨 색이에요?",
        "What colour is the cat?",
    ],
)
def test_other_questions_are_not_bent_into_taught_ones(said):
    assert TAUGHT.read(said) is None


def test_every_kind_is_said_in_every_language():
    assert set(PATTERNS) == set(FORMS)
    assert {tuple(said) for said in PATTERNS.values()} == {("de", "fr", "es", "pt", "zh", "ko")}


def test_a_name_between_two_is_still_cut():
    """The Spanish "or" is the Portuguese article."""
    vocabulary = vocabulary_of(NAMES)
    assert vocabulary.find("gato o perro") is None
    assert vocabulary.find("o gato").name == "cat"
