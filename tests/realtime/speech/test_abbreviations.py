"""Full stops that end no sentence, in many languages."""

import pytest

from realtime.speech.abbreviations import is_abbreviated


def sentences(language: str | None, text: str) -> list[str]:
    """Cut a text at the stops that do not belong to an abbreviation."""
    found, current = [], ""
    words = text.split()
    for word, following in zip(words, [*words[1:], ""], strict=True):
        current = f"{current} {word}".strip()
        if word.endswith(".") and not (following and is_abbreviated(current[:-1], following[:1], language)):
            found.append(current)
            current = ""
    return found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dr. J. F. Quilter of St. Ives met Mr. and Mrs. Dursley of the U.S. Senate."),
        ("en", "See Fig. 5 in vol. II below."),
        ("de", "Das ist z. B. Herr Meier, geb. Schulze, vgl. Abs. 3, d. h. der Chef."),
        ("de", "Am 3. Oktober zog Friedrich II. König von Preußen in die Hauptstr. Nr. 5."),
        ("fr", "M. Dupont, MM. Blanc et Noir et Mgr. Martin habitent bd. Voltaire."),
        ("es", "El Excmo. Sr. D. Luis vive en Avda. Mayor, pág. 5, EE. UU. Hoy."),
        ("it", "Il sig. Rossi, il Dott. Verdi e l'ing. Ricci di S. Pietro."),
        ("pt", "O Exmo. Sr. Dr. Ramos e a Profa. Souza."),
        ("nl", "Dhr. Jansen en mevr. De Vries, drs. Visser."),
        ("pl", "Gen. Nowak i mgr inż. Kowal, tzw. Specjaliści, przy ul. Mickiewicza."),
        ("cs", "Např. Ing. Novák a MUDr. Svoboda, ul. Krátká, 3. Října."),
        ("ru", "А. С. Пушкин, акад. Павлов и т. д. Живут на ул. Ленина, 5 млн. Рублей."),
        ("uk", "Він живе на вул. Шевченка, м. Київ."),
        ("tr", "Doç. Dr. Arslan ve örn. Ankara."),
        ("hu", "Ifj. Szabó István és özv. Tóth Pálné."),
        ("ro", "Dl. Popescu și dna. Ionescu, str. Lungă."),
        ("el", "Ο κ. Παπαδόπουλος και η κα. Νίκου ήρθαν."),
        ("da", "Dr. Holm kommer f.eks. I morgen, kl. 5."),
    ],
)
def test_an_abbreviation_ends_no_sentence(language: str, text: str) -> None:
    assert sentences(language, text) == [text]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "That is all. I like it. Try. It was a TV. He is 25. World War II. Then it ended. Hmm. So it goes."),
        ("en", "It was me. No one else. This was in 1999. Hm. Well."),
        ("de", "Es war im Zug. Er kam 1999. Da war noch der Rest."),
        ("fr", "Il a vu la mer. Voici le nez. Je suis là."),
        ("es", "Es el mar. Me voy. Él no."),
        ("it", "Lo so. È vero."),
        ("cs", "Má prst. Je to vlk. Přišel."),
        ("ru", "Это я. Он пришёл. Иди."),
        ("tr", "Bu iş. O da."),
        ("xx", "Unknown words. Another one."),
    ],
)
def test_words_end_sentences(language: str, text: str) -> None:
    assert len(sentences(language, text)) == text.count(".")


def test_the_number_of_a_list_item_ends_no_sentence() -> None:
    assert sentences(None, "1. Open the door. 2. Close it.") == ["1. Open the door.", "2. Close it."]


def test_without_a_language_only_common_abbreviations_count() -> None:
    assert sentences(None, "Mr. Jones met hr. Hansen.") == ["Mr. Jones met hr. Hansen."]
    assert sentences(None, "Ul. Krótka. 25. And so on.") == ["Ul.", "Krótka.", "25. And so on."]
