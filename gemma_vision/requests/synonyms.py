"""Synonyms: words for one thing, a group each, in English and Japanese.

Of a group a checkpoint may list any word; whatever else of it a person writes is read as that one.
Kinds are here beside their thing where nobody would mean another one (kitten, puppy, jet). Kana
stands in either script, and plurals need no words of their own.
"""

from __future__ import annotations

GROUPS: tuple[tuple[str, ...], ...] = tuple(
    tuple(word.strip() for word in line.split(","))
    for line in """
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
    glasses, spectacles, eyeglasses, 眼鏡, めがね
    """.strip().splitlines()
)
