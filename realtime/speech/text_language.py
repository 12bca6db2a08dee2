"""Guess the language of a written text, to notice text that a voice cannot speak.

Evidence is the script, and for the Latin script common words and the letters of some languages. It takes about a
millisecond, so that the first audio is not delayed. The guess is for hints to users: English text is hardly ever taken
for another language, at the price that short texts and rarer languages often have no result.

Measured on Django's translations (short sentences of forms, at least four words): of 17 languages 72 to 93 % of the
texts were noticed as not English, and none of 437 English ones was. The package py3langid, which also knows rarer
languages, notices 74 to 99 % at a probability of 0.5, for 1 English text, and 106 English texts without a threshold.
"""

import re
from collections import Counter
from typing import Final

MAX_CHARACTERS: Final = 2_000
"""Characters of a text that are looked at, from its start."""

_SCRIPTS: Final = (
    ("ja", "\u3040-\u30ff"), ("ko", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"), ("zh", "\u3400-\u9fff\uf900-\ufaff"),
    ("ru", "\u0400-\u052f"), ("el", "\u0370-\u03ff\u1f00-\u1fff"), ("he", "\u0590-\u05ff"),
    ("ar", "\u0600-\u06ff\u0750-\u077f"), ("hi", "\u0900-\u097f"), ("bn", "\u0980-\u09ff"), ("pa", "\u0a00-\u0a7f"),
    ("gu", "\u0a80-\u0aff"), ("ta", "\u0b80-\u0bff"), ("te", "\u0c00-\u0c7f"), ("kn", "\u0c80-\u0cff"),
    ("ml", "\u0d00-\u0d7f"), ("si", "\u0d80-\u0dff"), ("th", "\u0e00-\u0e7f"), ("lo", "\u0e80-\u0eff"),
    ("bo", "\u0f00-\u0fff"), ("my", "\u1000-\u109f"), ("ka", "\u10a0-\u10ff"), ("am", "\u1200-\u139f"),
    ("km", "\u1780-\u17ff"), ("hy", "\u0530-\u058f"),
)  # fmt: skip
"""Blocks of Unicode, each with its language of the most speakers."""

_OWN_LETTERS: Final = (
    ("zh", "ja", frozenset(map(chr, range(0x3040, 0x3100)))),
    ("ru", "uk", frozenset("іїєґ")),
    ("ru", "sr", frozenset("јљњћђџ")),
    ("ar", "ur", frozenset("ٹڈڑے")),
    ("ar", "fa", frozenset("پچژگ")),
)
"""Letters that another language of the same script has, and the first one has not."""

_LETTERS: Final = {
    "de": "äöüß", "fr": "èêëàùçœîôû", "es": "ñáíóú", "pt": "ãõçáêé", "it": "àèìòù", "sv": "åäö", "da": "æøå",
    "no": "æøå", "fi": "äö", "pl": "ąćęłńśźż", "cs": "ěřůčšžýáíé", "hu": "őűáéíóöü", "ro": "ăâîșțşţ", "tr": "ğışçöü",
    "vi": "ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹăâêô", "hr": "čćđšž",
}  # fmt: skip
"""Letters beyond a to z by language: they decide between languages that share words."""

_COMMON_WORDS: Final = {
    "en": (
        "the to and of a in i is for that you it on with this was be as are have at he not by but from my or we an "
        "your all so his they me if one can will just like about up out what has when more do no were who had their "
        "there her which time get been would she new people how some also them now other its our than good only after "
        "first him into know see two make over think any then could back these us want because go well said way most "
        "much very where even should may here need really did right work year years being day too going before off "
        "why made still take got many never those life say world down great through last s while best such love man "
        "home long look something use same used both every am come part state three around between always better find "
        "help high little old since another does own things under during game thing give house place school again "
        "next each mr"
    ),
    "de": (
        "die der und das ich ist nicht zu den von mit es ein auf für im sie eine sich auch dem des als er dass bei "
        "wie aber aus hat sind nach noch wir du war nur wenn oder wird werden einen um haben einer zum kann über da "
        "dann einem schon habe ja mehr mir sein vor mal zur"
    ),
    "fr": (
        "de la le et les est en des un que pas une du il pour dans je qui au ce sur qu par ne plus avec mais se vous "
        "ça tu elle son ai ou si sont tout fait nous comme être bien ils cette sa aux même ont était été mon ses lui "
        "aussi peut deux leur moi ces"
    ),
    "es": (
        "de la que el en los un se por es del las con una para lo su al como más si pero te mi le este sus esta todo "
        "ya ha cuando yo ser son sin hay está fue tu muy sobre también todos eso tiene nos porque qué así dos bien "
        "entre puede desde hasta hacer ahora era esto"
    ),
    "pt": (
        "de que em da para não um uma com se na por os eu como mais dos mas foi ao você ser seu sua tem são das ou "
        "ele muito isso já nos também quando está meu pelo ela vai só dia pela sobre bem até mesmo pode pessoas te "
        "ter tudo ainda aqui fazer minha anos todos quem sem"
    ),
    "it": (
        "di che il la non un per del una le si con della da sono ma al ha più dei se nel mi alla anche lo gli delle "
        "questo ho ci su ad dal solo essere io nella ti cui era stato quando tutti ed questa tutto cosa hanno tra "
        "fatto prima suo loro parte perché anni due sia sua"
    ),
    "nl": (
        "de van het een en op ik dat voor je te met niet zijn die als er maar om aan hij ook ze door naar uit bij dan "
        "dit wat heeft nog deze hebben kan meer zo al geen mijn wel tot wordt heb worden nu haar ben kunnen veel moet "
        "hoe na ons waar werd onze wil zich zou"
    ),
    "sv": (
        "är det att och jag på en inte som för med har av om du så till den de ett kan vi men var ska när nu vad från "
        "här mig bara eller han då hur kommer alla vill sig vara där får bra finns ha skulle ut min dig hade ju lite "
        "mycket upp gör få blir mer än"
    ),
    "da": (
        "og er af det en til på jeg har ikke med den der de du kan som så et var vi om han fra men skal ved vil også "
        "være hvor nu hvis sig efter mig eller hvad ud alle godt meget noget da dig kunne lige min når op blev bliver "
        "havde mere hun se bare få dem lidt"
    ),
    "no": (
        "og er det på som til en av ikke med har jeg de du om den så vi fra var kan et men han seg dette noe skal "
        "noen ble vil bare også ut da nå hva etter eller meg være blir hadde alle når må ha deg få mer opp andre ved "
        "vært bli inn denne enn hun mye"
    ),
    "fi": (
        "ja ei että se oli mutta ole kun niin myös hän jos ovat voi nyt sen kuin tai en joka olla sitä mitä vain jo "
        "kanssa tämä sitten kaikki olisi ollut vielä kyllä siitä ne hyvä sekä jälkeen miten mukaan paljon olen ihan "
        "mitään tulee hyvin tässä hänen vaan koska aina eivät koko kuitenkin vaikka mikä vuoden ennen jotka aika"
    ),
    "pl": (
        "nie na się jest że jak ale co tak za od po dla tym czy przez tego są ma tylko już mi mnie ze może bo ja ten "
        "oraz bardzo będzie być jego sobie ich mam jeśli roku też jeszcze był które jako jestem było jej kiedy który "
        "nawet teraz pod coś ci lat tam te więc gdy gdzie tej"
    ),
    "cs": (
        "se na je že si jsem ale tak pro ve za co jako jak po už od jsou mi když mě jen nebo byl bude já má jsme "
        "které ty jeho který až není bylo aby než ze ještě byla být také ani pak při tam toho ten kde mám která ho ne "
        "před protože první tu podle pokud tom"
    ),
    "hu": (
        "az és nem hogy egy de meg csak ha van volt ez vagy már még én kell el jó ki azt akkor mint ezt minden mert "
        "nagyon így olyan itt mi sem lesz lehet vagyok majd nagy úgy nincs aki két fel után ne új amikor ami első te "
        "több pedig mindig nekem amit szerint mit egyik ilyen le sok"
    ),
    "ro": (
        "de în la să din pe cu nu mai un este că care pentru se au ce fost ca al sunt fi si va lui dar sau sa dacă "
        "după ne ar le poate prin cum când ale despre era iar mult ai cel mare cele doar foarte noi el fie ei dintre "
        "te timp tot până face pot chiar"
    ),
    "tr": (
        "ve bir bu için de da çok ile ne daha en gibi olarak kadar olan ben var ama sonra ki iyi yok ya değil sen "
        "sadece ilk iki hiç ise oldu bile nasıl şey benim böyle tek tüm önce göre mı seni beni bana tarafından doğru "
        "veya biz olduğunu diye kendi olduğu olur şu birlikte diğer sana neden olmak çünkü"
    ),
    "id": (
        "yang dan di ini dari untuk dengan itu bisa aku ada tidak akan adalah dalam pada kita ke juga anda dia saya "
        "kamu lebih apa sudah mereka tapi karena atau menjadi tak baik jadi harus satu lagi seperti oleh banyak jika "
        "hanya kami saat tahun jangan sebagai hari telah semua dapat hal bahwa bukan saja sangat masih pernah mau "
        "lain"
    ),
    "vi": (
        "là và có của được một các không trong cho người này với đã để như những đến khi làm sẽ từ ra họ tại về vào "
        "đó cũng lại chỉ năm sự tôi bị phải chính ngày số ông mà nhà thì trên việc sau điều còn mình thế nhưng rất đi "
        "bộ bạn theo anh con hơn nhất"
    ),
    "hr": (
        "je da se na od za su ne sa iz kao što koji kako bi ali nije još po sve bio ili sam će koja samo te biti koje "
        "kada ako tako bilo smo mi ga jer pa ni bila nakon li ih ja oni mu pod nego nas svi bili svoje nema ona tu "
        "bih nam nisu ti tome"
    ),
}
"""The most common words by language: stop words (stopwords-iso) without those of English, the 60 most frequent."""

_ALSO_ENGLISH: Final = (
    "ad af ai al ali ar au bare ben bi bio bo ca care co com con cum da dan de del den der des di die dig door du "
    "due ed el em en er era es est et eu face fi ga ha han hat hay ho il im inn jo la las le les li lo los ma men "
    "mere met mi min mint na ne ni non op os pa par per plus po pot pour pro ra sa sam se sen si sin solo son su "
    "te ten til till tom um un und va van ve vi von war ya yang yo"
)
"""Common words of other languages that English texts have too, as words or in names: each is half the evidence."""

_WEAK: Final = frozenset(_ALSO_ENGLISH.split())
_WORDS: Final = {language: frozenset(words.split()) for language, words in _COMMON_WORDS.items()}
_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_IN_SCRIPT: Final = tuple((language, re.compile(f"[{letters}]")) for language, letters in _SCRIPTS)

_FOREIGN_NAMES: Final = 2
"""Words with letters of another language that are taken for names, which occur in any text."""

_WRITTEN_WORDS: Final = 2
"""Letters of the Latin script that one of another script outweighs: East Asian scripts write a word with one or two."""


def language_of(text: str) -> str | None:
    """Return Whisper's code for the language that a text is probably written in; None without enough evidence.

    Of languages that share a script other than Latin, the one with the most speakers stands for all whose own letters
    do not occur.
    """
    start = text[:MAX_CHARACTERS].lower()
    scripts = Counter({language: len(letters.findall(start)) for language, letters in _IN_SCRIPT})
    language, count = scripts.most_common(1)[0]
    if count * _WRITTEN_WORDS > len(_LATIN.findall(start)):
        characters = set(start)
        owners = (own for base, own, letters in _OWN_LETTERS if base == language and characters & letters)
        return next(owners, language)
    return _latin_language(start)


def _latin_language(text: str) -> str | None:
    words = _WORD.findall(text)
    accented = [word for word in words if not word.isascii()]
    evidence = {
        language: sum(0.5 if word in _WEAK else 1 for word in words if word in common)
        + _letter_evidence(accented, _LETTERS.get(language, ""))
        for language, common in _WORDS.items()
    }
    best = max(evidence, key=lambda language: evidence[language])  # of equal ones the first, which is English
    return best if evidence[best] >= 1 else None


def _letter_evidence(words: list[str], letters: str) -> float:
    """Return half a word for the first of the letters, and one and a half where they are in more than names."""
    found = sum(not set(letters).isdisjoint(word) for word in words)
    return 0.5 * (found > 0) + (found > _FOREIGN_NAMES)
