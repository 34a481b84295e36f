"""Synonyms: words for one thing, a group each, in English and Japanese, some in more languages.

Of a group a checkpoint may list any word; whatever else of it a person writes is read as that one.
Kinds are here beside their thing where nobody would mean another one (kitten, puppy, jet). Kana
stands in either script, and plurals need no words of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

COMMON = """
cat, kitty, kitten, pussycat, tomcat, 猫, ねこ, にゃんこ, 子猫, 仔猫, こねこ
dog, puppy, pup, doggy, doggie, hound, canine, 犬, いぬ, わんこ, わんちゃん, 子犬, 仔犬, こいぬ
car, automobile, auto, motorcar, sedan, 車, くるま, 自動車, じどうしゃ, 乗用車
apple, 林檎, りんご
banana, バナナ
bicycle, bike, pushbike, pedal cycle, velo, 自転車, じてんしゃ, ちゃりんこ, ちゃり
ball, soccer ball, basketball, tennis ball, ボール, 球, たま
fish, goldfish, 魚, さかな, お魚, おさかな, 金魚
butterfly, 蝶, ちょう, 蝶々, ちょうちょ, ちょうちょう
cactus, サボテン, 仙人掌
tree, 木, 樹, 樹木, き, 立ち木
house, home, cottage, 家, いえ, お家, おうち, 住宅, 一軒家
airplane, aeroplane, plane, aircraft, jet, airliner, 飛行機, ひこうき, 航空機, ジェット機
boat, ship, sailboat, motorboat, speedboat, yacht, 船, ふね, 舟, 小舟, ボート, ヨット
train, locomotive, steam train, 電車, でんしゃ, 列車, れっしゃ, 汽車, きしゃ, 機関車
umbrella, parasol, brolly, sunshade, 傘, かさ, 雨傘, 日傘, パラソル
guitar, ギター
camera, カメラ, 写真機
clock, alarm clock, 時計, とけい, 目覚まし時計
key, 鍵, かぎ
pizza, ピザ, ピッツァ
burger, hamburger, cheeseburger, ハンバーガー, バーガー
cake, ケーキ
strawberry, 苺, いちご
elephant, 象, ぞう
lion, ライオン, 獅子
frog, toad, 蛙, かえる
turtle, tortoise, 亀, かめ
penguin, ペンギン
owl, 梟, ふくろう
horse, pony, 馬, うま
cow, bull, cattle, 牛, うし
pig, piglet, hog, swine, 豚, ぶた
sheep, lamb, ram, 羊, ひつじ
chicken, hen, rooster, 鶏, にわとり
bus, coach, バス
helicopter, chopper, ヘリコプター, ヘリ
rocket, spaceship, ロケット
balloon, 風船, ふうせん
flower, blossom, 花, はな, お花
person, human, human being, people, 人, ひと, 人間, 人物
cell phone, mobile phone, phone, smartphone, telephone, 携帯電話, 携帯, 電話, スマホ
tv, television, tv set, telly, テレビ
motorcycle, motorbike, バイク, オートバイ
truck, lorry, トラック
sofa, couch, settee, ソファ, ソファー
bird, 鳥, とり
chair, 椅子, いす
table, dining table, テーブル, 机, つくえ
laptop, notebook computer, laptop computer, ノートパソコン
cup, mug, カップ, コップ
glasses, spectacles, eyeglasses, sunglasses, 眼鏡, めがね, サングラス
stop sign, 止まれ, 一時停止
traffic light, traffic lights, stoplight, traffic signal, 信号, 信号機, しんごう
zebra, シマウマ
giraffe, キリン
bear, 熊, くま
backpack, rucksack, knapsack, schoolbag, リュック, リュックサック, バックパック
handbag, purse, ハンドバッグ
tie, necktie, ネクタイ
suitcase, trunk, スーツケース, トランク
skis, スキー, スキー板
kite, 凧, たこあげ
skateboard, スケートボード, スケボー
bottle, 瓶, びん, ボトル
wine glass, goblet, ワイングラス
knife, kitchen knife, 包丁, ナイフ
spoon, teaspoon, スプーン
bowl, ボウル, お椀, 鉢
sandwich, サンドイッチ, サンドウィッチ
orange, tangerine, mandarin, オレンジ, みかん, 蜜柑
broccoli, ブロッコリー
carrot, 人参, にんじん
hot dog, ホットドッグ
donut, doughnut, ドーナツ, ドーナッツ
potted plant, houseplant, pot plant, 鉢植え, 観葉植物
bed, ベッド, 寝台
toilet, lavatory, トイレ, 便器
mouse, computer mouse, マウス
keyboard, computer keyboard, キーボード
book, 本, ほん, 書籍
vase, amphora, 花瓶, かびん, 壺
scissors, pair of scissors, はさみ, 鋏
teddy bear, teddy, stuffed bear, テディベア, くまのぬいぐるみ
toothbrush, 歯ブラシ, はぶらし
tiger, 虎, とら
monkey, ape, 猿, さる
rabbit, bunny, hare, 兎, うさぎ
snail, かたつむり, 蝸牛
spider, 蜘蛛
crab, 蟹, かに
octopus, 蛸, たこ
dolphin, いるか
whale, 鯨, くじら
duck, duckling, mallard, 鴨, かも, アヒル
rose, 薔薇, ばら
sunflower, ひまわり, 向日葵
mushroom, toadstool, きのこ, 茸
grapes, bunch of grapes, 葡萄, ぶどう
lemon, レモン, 檸檬
pear, 梨, なし, 洋梨
peach, 桃, もも
cherries, さくらんぼ, 桜桃
pineapple, パイナップル, パイン
watermelon, 西瓜, すいか
tomato, トマト
potato, spud, じゃがいも, ポテト
corn, maize, sweetcorn, corn on the cob, とうもろこし, コーン
eggplant, aubergine, 茄子, なす
bread, loaf, loaf of bread, baguette, 食パン, パン
cheese, チーズ
egg, 卵, たまご, 玉子
ice cream, ice cream cone, アイスクリーム, アイス, ソフトクリーム
piano, musical keyboard, ピアノ, 鍵盤
violin, fiddle, バイオリン, ヴァイオリン
drum, 太鼓, たいこ, ドラム
trumpet, トランペット, ラッパ
hammer, 金槌, かなづち, ハンマー
candle, 蝋燭, ろうそく, キャンドル
gift, present, gift box, プレゼント, 贈り物
crown, 王冠, おうかん, 冠
hat, top hat, sun hat, 帽子, ぼうし
shoe, sneaker, trainer, 靴, くつ, スニーカー
tractor, トラクター
tent, テント
castle, 城, しろ, お城
sun, 太陽, たいよう, お日様, おひさま
moon, crescent, crescent moon, 月, お月様
star, 星, ほし, お星様
heart, love heart, ハート
"""
# The things of the embedded checkpoint in the page's other languages, German plurals too, and as
# emoji; accents may be left out.
ABROAD = """
cat, chat, Katze, Katzen, gato, 고양이, 🐱, 🐈
dog, chien, Hund, Hunde, perro, cachorro, cão, cães, 개, 강아지, 狗, 🐶, 🐕
car, voiture, Autos, Wagen, coche, carro, 자동차, 차, 汽车, 车, 轿车, 🚗, 🚙
apple, pomme, Apfel, manzana, maçã, 사과, 苹果, 🍎, 🍏
banana, banane, Bananen, plátano, 바나나, 香蕉, 🍌
bicycle, Fahrrad, Fahrräder, bicicleta, bici, bicyclette, 자전거, 自行车, 单车, 🚲
ball, ballon, Bälle, Fußball, pelota, balón, bola, 공, 足球, ⚽, 🏀, 🎾
fish, poisson, Fisch, Fische, pez, peces, pescado, peixe, 물고기, 鱼, 🐟, 🐠
butterfly, papillon, Schmetterling, Schmetterlinge, mariposa, borboleta, 나비, 蝴蝶, 🦋
cactus, Kaktus, Kakteen, cacto, 선인장, 🌵
tree, arbre, Baum, Bäume, árbol, árvore, 나무, 树, 🌳, 🌲
house, maison, Haus, Häuser, casa, 집, 房子, 🏠, 🏡
airplane, avion, Flugzeug, Flugzeuge, avião, aviões, 비행기, 飞机, ✈, 🛩
boat, bateau, bateaux, Schiff, Schiffe, barco, 배, ⛵, 🚤
train, Zug, Züge, tren, trem, trens, comboio, 기차, 火车, 🚂, 🚆
umbrella, parapluie, Regenschirm, Regenschirme, paraguas, guarda-chuva, 우산, 雨伞, 伞, ☂, ☔, 🌂
bus, autobus, Busse, ônibus, 버스, 公交车, 公共汽车, 巴士, 🚌, 🚍
truck, camion, Lastwagen, LKW, caminhão, 트럭, 卡车, 🚚, 🚛
motorcycle, moto, Motorrad, Motorräder, motocicleta, 오토바이, 摩托车, 🏍, 🛵
traffic light, feu de circulation, Ampel, Ampeln, semáforo, 신호등, 红绿灯, 交通灯, 🚦, 🚥
stop sign, panneau stop, Stoppschild, señal de stop, placa de pare
stop sign, 정지 표지판, 停车标志, 停止标志, 🛑
bird, oiseau, oiseaux, Vogel, pájaro, pássaro, 새, 鸟, 🐦, 🕊
horse, cheval, chevaux, Pferd, Pferde, caballo, cavalo, 말, 马, 🐎, 🐴
sheep, mouton, Schaf, Schafe, oveja, ovelha, 양, 绵羊, 🐑, 🐏
cow, vache, Kuh, Kühe, vaca, 소, 奶牛, 🐄, 🐮
elephant, Elefant, Elefanten, elefante, 코끼리, 大象, 🐘
bear, Bären, oso, urso, 곰, 🐻
zebra, zèbre, cebra, 얼룩말, 斑马, 🦓
giraffe, girafe, Giraffen, jirafa, girafa, 기린, 长颈鹿, 🦒
backpack, sac à dos, Rucksäcke, mochila, 배낭, 背包, 双肩包, 🎒
handbag, sac à main, Handtasche, Handtaschen, bolso, bolsa, 핸드백, 手提包, 👜, 👛
tie, cravate, Krawatte, Krawatten, corbata, gravata, 넥타이, 领带, 👔
suitcase, valise, Koffer, maleta, mala, 여행가방, 行李箱, 🧳
skis, esquís, 스키, 滑雪板, 🎿
kite, cerf-volant, Drachen, cometa, pipa, 연, 风筝, 🪁
skateboard, planche à roulettes, monopatín, skate, 스케이트보드, 滑板, 🛹
bottle, bouteille, Flasche, Flaschen, botella, garrafa, 병, 瓶子, 🍾, 🍼
wine glass, verre à vin, Weinglas, copa de vino, taça de vinho, 와인잔, 红酒杯, 酒杯, 🍷, 🍸
cup, tasse, Tassen, taza, xícara, 컵, 杯子, ☕, 🍵, 🥤
knife, couteau, couteaux, Messer, cuchillo, faca, 칼, 刀, 🔪, 🗡
spoon, cuillère, Löffel, cuchara, colher, 숟가락, 勺子, 🥄
bowl, bol, Schüssel, Schüsseln, tazón, cuenco, tigela, 그릇, 碗, 🥣
sandwich, bocadillo, sanduíche, 샌드위치, 三明治, 🥪
orange, Orangen, naranja, laranja, 오렌지, 橙子, 🍊
broccoli, brocoli, Brokkoli, brócolis, 브로콜리, 西兰花, 🥦
carrot, carotte, Karotte, Karotten, Möhre, Möhren, zanahoria, cenoura, 당근, 胡萝卜, 🥕
hot dog, perrito caliente, cachorro-quente, 핫도그, 热狗, 🌭
pizza, Pizzen, 피자, 披萨, 比萨, 🍕
donut, beignet, rosquilla, rosca, 도넛, 甜甜圈, 🍩
cake, gâteau, gâteaux, Kuchen, Torte, Torten, tarta, bolo, 케이크, 蛋糕, 🎂, 🍰, 🧁
chair, chaise, Stuhl, Stühle, silla, cadeira, 의자, 🪑
sofa, canapé, 소파, 沙发, 🛋
potted plant, plante en pot, Topfpflanze, Zimmerpflanze, planta en maceta, planta em vaso
potted plant, 화분, 盆栽, 🪴
bed, lit, Bett, Betten, cama, 침대, 床, 🛏
toilet, Toilette, Toiletten, inodoro, vaso sanitário, 변기, 马桶, 厕所, 🚽
tv, télé, Fernseher, televisor, televisão, 텔레비전, 电视, 电视机, 📺
laptop, ordinateur portable, portátil, 노트북, 笔记本电脑, 💻
mouse, souris, Maus, Mäuse, ratón, rato, 마우스, 鼠标, 🖱
keyboard, clavier, Tastatur, Tastaturen, teclado, 키보드, 键盘, ⌨
cell phone, Handy, Handys, teléfono, móvil, celular, telefone, 휴대폰, 핸드폰, 手机, 📱
book, livre, Buch, Bücher, libro, livro, 책, 书, 📕, 📖, 📗, 📘
clock, horloge, Uhr, Uhren, reloj, relógio, 시계, 时钟, 钟, ⏰, 🕰
vase, Vasen, jarrón, florero, vaso, 꽃병, 🏺
scissors, ciseaux, Schere, Scheren, tijeras, tesoura, 가위, 剪刀, ✂
teddy bear, nounours, ours en peluche, Teddybär, Teddybären, oso de peluche, 곰인형, 泰迪熊, 🧸
toothbrush, brosse à dents, Zahnbürste, Zahnbürsten, cepillo de dientes
toothbrush, escova de dentes, 칫솔, 牙刷, 🪥
"""


def lines_of(table: str) -> Iterator[tuple[str, ...]]:
    """The words of each line."""
    for line in table.strip().splitlines():
        yield tuple(word.strip() for word in line.split(","))


def join(groups: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Groups that begin alike as one."""
    joined: dict[str, tuple[str, ...]] = {}
    for first, *more in groups:
        joined[first] = (*joined.get(first, (first,)), *more)
    yield from joined.values()


GROUPS = tuple(join((*lines_of(COMMON), *lines_of(ABROAD))))
