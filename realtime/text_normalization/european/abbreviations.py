"""Abbreviations of German, French and Spanish, with what is read for them.

The patterns have no limits of words. They are those of the Duden, of the Lexique of the Imprimerie nationale and of
the Ortografía of the Real Academia Española, and some of addresses, recipes and messages.
"""

from typing import Final

_GERMAN_DAYS: Final = {
    "Mo": "Montag", "Di": "Dienstag", "Mi": "Mittwoch", "Do": "Donnerstag", "Fr": "Freitag", "Sa": "Samstag",
    "So": "Sonntag",
}  # fmt: skip
GERMAN_ABBREVIATIONS: Final = {
    **{rf"{short}\.? ?[-–] ?(?=(?:{'|'.join(_GERMAN_DAYS)})\b)": f"{day} bis " for short, day in _GERMAN_DAYS.items()},
    **{rf"(?<= bis ){short}\b\.?": day for short, day in _GERMAN_DAYS.items()},
    **{rf"{short}(?:\.(?=,? [0-9]|,| und | oder | bis )|(?=, [0-9]| [0-9]{{1,2}}(?:[:.–-]| Uhr)))": day
       for short, day in _GERMAN_DAYS.items()},
    **{rf"{short}\.(?! [A-ZÄÖÜ]\.)": _GERMAN_DAYS[short] for short in ("Mo", "Di", "Mi", "Do", "Sa")},
    **{rf"(?:(?<= und )|(?<= u\. )){short}\.(?! [A-ZÄÖÜ])": _GERMAN_DAYS[short] for short in ("Fr", "So")},
    r"(?<= des )Hbf\b\.?": "Hauptbahnhofs", r"(?<= des )Bhf\b\.?": "Bahnhofs", r"(?<=[0-9] )Tr\.": "Tropfen",
    r"(?<=[0-9] )Mitgl\.": "Mitglieder",
    r"(?<=[a-z] )d\. ?Gr\.": "der Große", r"1/2 (?=[0-9]{1,2} Uhr)": "halb ",
    r"24/7\b": "vierundzwanzig sieben", r"(?<=[\w€] )/ ?Pers\.": "pro Person", r"(?<=[\w€.])/ ?Pers\.": " pro Person",
    r"(?<=[0-9]-)Zi\.": "Zimmer", r"(?<=[a-zäöüß] )f\.(?= [A-ZÄÖÜ])": "für", r"(?<![0-9] )km(?= [0-9])": "Kilometer",
    r"z\. ?B\.": "zum Beispiel", r"d\. ?h\.": "das heißt", r"u\. ?a\.": "unter anderem", r"z\. ?T\.": "zum Teil",
    r"i\. ?d\. ?R\.": "in der Regel", r"[ou]\. ?[äÄ]\.": "oder ähnlich", r"v\. ?Chr\.": "vor Christus",
    r"n\. ?Chr\.": "nach Christus", r"usw\.": "und so weiter", r"bzw\.": "beziehungsweise", r"ca\.": "circa",
    r"s\. ?o\.": "siehe oben", r"s\. ?u\.": "siehe unten", r"o\. ?g\.": "oben genannt", r"u\. ?U\.": "unter Umständen",
    r"m\. ?E\.": "meines Erachtens", r"u\. ?v\. ?m\.": "und vieles mehr", r"z\. ?Zt?\.": "zur Zeit",
    r"h\. ?c\.": "honoris causa", r"Dr\.": "Doktor", r"Prof\.": "Professor", r"Hr\.": "Herr",
    r"Fr\.(?= [A-ZÄÖÜ])": "Frau", r"Nr\.": "Nummer",
    r"Tel\.": "Telefon", r"inkl\.": "inklusive", r"exkl\.": "exklusive", r"evtl\.": "eventuell",
    r"ggf\.": "gegebenenfalls", r"vgl\.": "vergleiche", r"Vgl\.": "Vergleiche", r"S\.(?= ?[0-9])": "Seite ",
    r"Abs\.(?= ?[0-9])": "Absatz ", r"Abb\.(?= ?[0-9])": "Abbildung ", r"Tab\.(?= ?[0-9])": "Tabelle ",
    r"Kap\. ?(?=[0-9IVX])": "Kapitel ", r"ff\.": "fortfolgende", r"Pers\.": "Personen", r"Pck\.": "Päckchen",
    r"Mwst\.": "Mehrwertsteuer", r"Max\.(?= [0-9])": "Maximal", r"Co\.(?= KG)": "Co", r"Art\.(?= ?[0-9])": "Artikel ",
    r"Jhd?t?\.": "Jahrhundert",
    r"St\.(?= [A-ZÄÖÜ])": "Sankt", r"etc\.": "et cetera", r"\bmax\.": "maximal", r"min\.(?= [0-9])": "mindestens",
    r"mind\.": "mindestens", r"Str\.": "Straße", r"(?<=[a-zäöüß])str\.": "straße",
    r"(?<=[a-zäöüß]{3})pl\.(?= [0-9])": "platz", r"(?<=[a-zäöüß]{3})g\.(?= [0-9])": "gasse",
    r"(?<= )u\.(?= (?![aäsdvUW]\.)[A-Za-zÄÖÜäöü])": "und", r"(?<=[a-zäöü] )v\.(?= (?!Chr)[A-ZÄÖÜ][a-zäöü])": "von",
    r"s\.(?= (?:S\.|Abb|Kap|Tab|Nr|Anl|Anh|Abschn|auch|oben|unten|Seite|Punkt|Rückseite))": "siehe",
    r"(?<=[0-9] )f\.": "folgende", r"(?<=[0-9] )Zi\.": "Zimmer", r"Hrsg\.(?= (?:von|v\.))": "Herausgegeben",
    r"(?<=[0-9] )T(?:bl|abl)\.": "Tabletten", r"(?<=(?:inklusive|exklusive|zuzüglich) )NK\b": "Nebenkosten",
    r"\+ ?NK\b": "plus Nebenkosten", r"geb\.": "geboren",
    r"gest\.": "gestorben", r"gegr\.": "gegründet", r"zzgl\.": "zuzüglich", r"bspw\.": "beispielsweise",
    r"Bd\.": "Band", r"Aufl\.": "Auflage", r"Hrsg\.": "Herausgeber", r"MwSt\.": "Mehrwertsteuer",
    r"sog\.": "sogenannt", r"bzgl\.": "bezüglich", r"einschl\.": "einschließlich", r"lt\.": "laut",
    r"tägl\.": "täglich", r"mtl\.": "monatlich", r"jährl\.": "jährlich", r"Fa\.(?= [A-ZÄÖÜ])": "Firma",
    r"Dipl\.-Ing\.": "Diplom-Ingenieur", r"Ing\.": "Ingenieur", r"Hbf\.?(?!\w)": "Hauptbahnhof",
    r"Nachm\.": "Nachmittag", r"nachm\.": "nachmittags", r"vorm\.": "vormittags", r"Abt\.": "Abteilung",
    r"Anm\.": "Anmerkung", r"Bsp\.": "Beispiel", r"Bez\.": "Bezirk", r"Bhf\.?(?!\w)": "Bahnhof", r"Einw\.": "Einwohner",
    r"Fam\.(?= [A-ZÄÖÜ])": "Familie", r"Inh\.": "Inhaber", r"Pkt\.": "Punkte", r"Pos\.": "Position",
    r"Reg\.": "Regierung",
    r"Ziff\.(?= ?[0-9])": "Ziffer ", r"stellv\.": "stellvertretend", r"urspr\.": "ursprünglich",
    r"verst\.": "verstorben", r"verh\.": "verheiratet", r"zus\.": "zusammen", r"z\. ?Hd\.": "zu Händen",
    r"z\. ?zt\.|zzt\.": "zurzeit", r"a\. ?D\.": "außer Dienst", r"i\. ?V\.": "in Vertretung", r"i\. ?A\.": "im Auftrag",
    r"e\. ?V\.": "eingetragener Verein", r"u\. ?dgl\.": "und dergleichen", r"u\. ?Ä\.": "und Ähnliches",
    r"usf\.": "und so fort", r"allg\.": "allgemein", r"bes\.": "besonders", r"Ausg\.": "Ausgabe", r"Jg\.": "Jahrgang",
    r"dt\.": "deutsch", r"engl\.": "englisch", r"frz\.": "französisch", r"lat\.": "lateinisch", r"Mill\.": "Millionen",
    r"Hrn\.": "Herrn", r"Stk\.": "Stück", r"Wdh\.": "Wiederholung", r"Zi\.(?= ?[0-9])": "Zimmer ",
    r"monatl\.": "monatlich", r"wöchentl\.": "wöchentlich", r"mögl\.": "möglich",
}  # fmt: skip
GERMAN_ENDINGS: Final = frozenset(
    {
        "und so weiter",
        "et cetera",
        "vor Christus",
        "nach Christus",
        "oder ähnlich",
        "und vieles mehr",
        "Jahrhundert",
        "Straße",
        "straße",
        "siehe oben",
        "siehe unten",
    }
)
"""Readings that sentences end with, so that a capital after their stop begins another."""

_FRENCH_DAYS: Final = {
    "lun": "lundi", "mar": "mardi", "mer": "mercredi", "jeu": "jeudi", "ven": "vendredi", "sam": "samedi",
    "dim": "dimanche", "Lun": "Lundi", "Mar": "Mardi", "Mer": "Mercredi", "Jeu": "Jeudi", "Ven": "Vendredi",
    "Sam": "Samedi", "Dim": "Dimanche",
}  # fmt: skip

_FRENCH_PARTS: Final = {
    "p": "pages", "art": "articles", "fig": "figures", "chap": "chapitres", "vol": "volumes", "al": "alinéas",
}  # fmt: skip
"""What several are referred to by the abbreviation for one: "art. 12 et 13"."""

FRENCH_ABBREVIATIONS: Final = {
    **{rf"{short}\.? ?[-–] ?(?=(?:{'|'.join(_FRENCH_DAYS)})\b)": f"{day} à " for short, day in _FRENCH_DAYS.items()},
    **{rf"(?<= à ){short}(?:\.|$|(?= (?:de|:)))": day for short, day in _FRENCH_DAYS.items()},
    **{rf"(?<= (?:au|du|et|le) ){short}\.(?= (?:de |[0-9])|[,:])": day for short, day in _FRENCH_DAYS.items()},
    **{rf"{short}\.(?= [0-9]| (?:au|et) )": day for short, day in _FRENCH_DAYS.items()},
    **{rf"{short}\. ?(?=[0-9IVX]+ ?(?:[-–à,]|et) ?[0-9IVX])": f"{several} "
       for short, several in _FRENCH_PARTS.items()},
    r"(?<=[\w€] )/ ?pers\.": "par personne", r"(?<=[\w€.])/ ?pers\.": " par personne",
    r"(?<=\b1 )cp\.": "comprimé", r"(?<=[0-9] )cp\.": "comprimés", r"all\.(?= d)": "allée",
    r"(?<=\b[1-9] )p\.(?= |,)": "pièces", r"(?<=[0-9] )p\.": "pages", r"(?<![0-9] )km(?= [0-9])": "kilomètre",
    r"24 ?[hH] ?(?:/|sur) ?24(?: ?h)?\b": "vingt-quatre heures sur vingt-quatre",
    r"7 ?[jJ] ?(?:/|sur) ?7(?: ?j)?\b": "sept jours sur sept", r"24/7\b": "vingt-quatre heures sur vingt-quatre",
    r"(?<=[IVX]e )s\.": "siècle",
    r"fig\. ?(?=[0-9])": "figure ", r"Fig\. ?(?=[0-9])": "Figure ", r"Me(?= [A-ZÀÉ][a-zé]+\b)": "Maître",
    r"Mgr\b": "Monseigneur", r"Mmes\b": "Mesdames", r"Mlles\b": "Mesdemoiselles", r"Cie\b": "Compagnie",
    r"[Cc]f\.": "confer", r"éd\.": "édition", r"apr\.(?= J\.-C\.)": "après", r"vs\b\.?": "versus",
    r"min\.(?= [0-9])": "minimum", r"resp\.": "respectivement", r"hab\.": "habitants", r"bld\b\.?": "boulevard",
    r"no (?=[0-9])": "numéro ", r"nos (?=[0-9]+ (?:et|à) [0-9])": "numéros ", r"Dre\b\.?(?= [A-ZÀÉ])": "Docteure",
    r"M\.(?= (?:[A-ZÀÉ]|et M))": "Monsieur", r"MM\.(?= (?:[A-ZÀÉ]|les|et))": "Messieurs", r"Mme\b\.?": "Madame",
    r"Mlle\b\.?": "Mademoiselle",
    r"Dr\b\.?(?= [A-ZÀÉ])": "Docteur", r"Pr\b\.?(?= [A-ZÀÉ])": "Professeur", r"n[°º]s ?(?=[0-9])": "numéros ",
    r"n[°º] ?(?=[0-9])": "numéro ",
    r"N[°º] ?(?=[0-9])": "Numéro ", r"etc\.": "et cetera", r"p\. ?(?=[0-9])": "page ", r"pp\. ?(?=[0-9])": "pages ",
    r"av\.(?= J\.-C\.)": "avant", r"ap\.(?= J\.-C\.)": "après", r"J\.-C\.": "Jésus-Christ",
    r"c\.-à-d\.": "c'est-à-dire",
    r"p\. ?ex\.": "par exemple", r"ex\. ?:": "exemple :", r"env\.": "environ", r"Env\.": "Environ",
    r"(?<=\b1 )c\. ?à ?s\.": "cuillère à soupe",
    r"(?<=\b1 )c\. ?à ?c\.": "cuillère à café", r"c\. ?à ?s\.": "cuillères à soupe",
    r"c\. ?à ?c\.": "cuillères à café", r"bd\b\.?(?= [A-ZÀÉ])": "boulevard",
    r"av\.(?= [A-ZÀÉdD])": "avenue", r"St(?=-[A-Z])": "Saint", r"Ste(?=-[A-Z])": "Sainte", r"tél\.": "téléphone",
    r"Tél\.": "Téléphone",
    r"art\. ?(?=[0-9])": "article ", r"(?<=éléphone )port\.": "portable", r"\bmax\.": "maximum",
    r"Max\.(?= [0-9])": "Maximum",
    r"vol\. ?(?=[0-9IVX])": "volume ",
    r"chap\. ?(?=[0-9IVX])": "chapitre ",

    r"al\. ?(?=[0-9])": "alinéa ", r"Sté\b\.?": "Société", r"Éts\b\.?": "Établissements", r"arr\.": "arrondissement",
    r"dép\.": "département", r"Dép\.": "Département", r"réf\. ?": "référence ", r"Réf\. ?": "Référence ",
    r"suppl\.": "supplément",
    r"trad\.": "traduction", r"coll\.": "collection", r"ill\.": "illustration", r"introd\.": "introduction",
    r"paragr\. ?(?=[0-9])": "paragraphe ", r"t\. ?(?=[0-9IVX])": "tome ",
    r"pl\.(?= (?:de|du|des|d['’]|[A-ZÀÉ]))": "place",
    r"r\.(?= (?:de|du|des|d['’])\b)": "rue", r"rte\b\.?(?= (?:de|du|des|d['’]))": "route",
    r"imp\.(?= (?:de|du|des))": "impasse",
    r"Vve\b\.?(?= [A-ZÀÉ])": "Veuve", r"suiv\.": "suivantes", r"int\.": "intérieur",
    r"app[t]?\. ?(?=[0-9])": "appartement ",
    r"bât\. ?(?=[0-9A-Z])": "bâtiment ", r"Bât\. ?(?=[0-9A-Z])": "Bâtiment ",
    r"déc\.(?! [0-9])": "décembre", r"janv\.(?! [0-9])": "janvier", r"févr\.(?! [0-9])": "février",
    r"cad\b": "c'est-à-dire", r"svp\b": "s'il vous plaît", r"SVP\b": "s'il vous plaît",
    r"RDV\b": "rendez-vous", r"rdv\b": "rendez-vous", r"qqn\b": "quelqu'un", r"qqch\b\.?": "quelque chose",
}  # fmt: skip
FRENCH_ENDINGS: Final = frozenset(
    {"et cetera", "Jésus-Christ", "édition", "habitants", "arrondissement", "suivantes", "s'il vous plaît"}
)

_SPANISH_DAYS: Final = {
    "lun": "lunes", "mar": "martes", "mié": "miércoles", "jue": "jueves", "vie": "viernes", "sáb": "sábado",
    "dom": "domingo",
}  # fmt: skip

_SPANISH_WOMEN: Final = {
    "[Aa]rq": "arquitecta", "[Ii]ng": "ingeniera", "[Ll]ic": "licenciada", "[Pp]rof": "profesora",
    "[Dd]ir": "directora", "[Ll]cda": "licenciada", "[Pp]dta": "presidenta", "[Ss]ecr": "secretaria",
    "[Aa]bog": "abogada",
}  # fmt: skip
"""Titles after the article of women."""

SPANISH_ABBREVIATIONS: Final = {
    **{rf"{short}\.? ?[-–] ?(?=(?:{'|'.join(_SPANISH_DAYS)})\b)": f"{day} a " for short, day in _SPANISH_DAYS.items()},
    **{rf"(?<= al? ){short}\.".replace("al?", "a"): day for short, day in _SPANISH_DAYS.items()},
    **{rf"{short}\.(?= [0-9]| (?:al?|y) )": day for short, day in _SPANISH_DAYS.items()},
    **{rf"(?:(?<= y )|(?<= los )|(?<= el )){short}\.": day for short, day in _SPANISH_DAYS.items()},
    **{rf"(?<=\b[Ll]a ){short}\.": title for short, title in _SPANISH_WOMEN.items()},
    r"(?<=\b1 )comp\.": "comprimido", r"(?<=[0-9] )comp\.": "comprimidos", r"(?<=\b1 )cáps\.": "cápsula",
    r"(?<=[0-9] )cáps\.": "cápsulas", r"(?<=[\w€] )/ ?pers\.": "por persona",
    r"(?<=[\w€.])/ ?pers\.": " por persona", r"(?<![0-9] )km\.?(?= [0-9])": "kilómetro", r"i\. ?e\.": "es decir",
    r"24/7\b": "veinticuatro siete", r"(?<=[0-9] )[Uu]ds?\.": "unidades",
    r"(?<=\b1 )hab\.": "habitación", r"(?<=\b[2-9] )hab\.": "habitaciones", r"(?<=[0-9] )hab\.": "habitantes",
    r"\bss?\. ?(?=[IVX]+\b)": "siglo ", r"izq?da\.": "izquierda", r"dcha\.": "derecha", r"izdo\.": "izquierdo",
    r"dcho\.": "derecho", r"Dña\.": "doña", r"Lic\.": "licenciado", r"Ing\.": "ingeniero", r"Profa\.": "profesora",
    r"Sto\.": "santo", r"Sta\.": "santa", r"fig\. ?(?=[0-9])": "figura ", r"ed\.": "edición", r"Cía\.": "compañía",
    r"S\. ?A\.(?! [A-ZÁÉÍÓÚ][a-z])": "sociedad anónima", r"Pza\.": "plaza", r"pza\.": "plaza", r"tfno\.": "teléfono",
    r"Dtor\.": "director", r"dpto\.": "departamento", r"vs\.": "versus", r"(?<![pP]\. )(?<![pP]\.)ej\.": "ejemplo",
    r"p\. ?ej\.": "por ejemplo", r"EE\. ?UU\.": "Estados Unidos", r"Sr\.": "señor", r"Sra\.": "señora",
    r"Srta\.": "señorita", r"Sres\.": "señores", r"Dr\.": "doctor", r"Dra\.": "doctora",
    r"D\.(?= [A-ZÁÉÍÓÚ][a-zé])": "don",
    r"D\.ª": "doña", r"Ud\.": "usted", r"Uds\.": "ustedes", r"Vd\.": "usted", r"etc\.": "etcétera",
    r"núm\. ?": "número ", r"n\.?º ?(?=[0-9])": "número ", r"N\.?º ?(?=[0-9])": "Número ", r"pág\. ?": "página ",
    r"págs\. ?": "páginas ", r"Avda\.": "avenida", r"Av\.(?= )": "avenida", r"[Cc]/ ?(?=[A-ZÁÉÍÓÚ])": "calle ",
    r"cdas\.": "cucharadas", r"cda\.": "cucharada",
    r"cdtas\.": "cucharaditas", r"cdta\.": "cucharadita", r"L ?[-–] ?V\b": "lunes a viernes",
    r"L ?[-–] ?S\b": "lunes a sábado", r"L ?[-–] ?D\b": "lunes a domingo",
    r"tel\.": "teléfono", r"Tel\.": "Teléfono", r"a\. ?C\.": "antes de Cristo", r"d\. ?C\.": "después de Cristo",
    r"aprox\.": "aproximadamente", r"Prof\.": "profesor", r"(?<=emp\. )máx\.": "máxima",
    r"(?<=emp\. )mín\.": "mínima", r"(?<=eratura )máx\.": "máxima", r"(?<=eratura )mín\.": "mínima",
    r"(?<=locidad )máx\.": "máxima", r"máx\.": "máximo", r"mín\.": "mínimo",
    r"art\. ?(?=[0-9])": "artículo ",
    r"vol\. ?(?=[0-9IVX])": "volumen ", r"cap\. ?(?=[0-9IVX])": "capítulo ", r"a\. ?m\.": "de la mañana",
    r"p\. ?m\.": "de la tarde",

    r"Excmo\.": "excelentísimo", r"Excma\.": "excelentísima", r"Ilmo\.": "ilustrísimo", r"Ilma\.": "ilustrísima",
    r"Sras\.": "señoras", r"Pl\.(?= [A-ZÁÉÍÓÚd])": "plaza", r"Ctra\.": "carretera", r"P\.º(?= )": "paseo",
    r"Prov\.": "provincia",
    r"Apdo\.": "apartado", r"C\. ?P\.(?= [0-9])": "código postal", r"CP(?= [0-9]{5})": "código postal",
    r"Cdad\.": "ciudad",
    r"Cnel\.": "coronel", r"Cap\.(?= [A-ZÁÉÍÓÚ])": "capitán", r"Gral\.": "general", r"Tte\.": "teniente",
    r"Dir\.": "director",
    r"Fdo\.": "firmado", r"Hnos\.": "hermanos", r"Hno\.": "hermano", r"Hna\.": "hermana", r"Ltda\.": "limitada",
    r"Mons\.": "monseñor", r"Ntra\.": "nuestra", r"Ntro\.": "nuestro",
    r"párr\. ?(?=[0-9])": "párrafo ",
    r"Pdte\.": "presidente", r"Pdta\.": "presidenta", r"ppal\.": "principal", r"sig\.": "siguiente",
    r"sigs\.": "siguientes",
    r"Vda\.": "viuda", r"v\. ?gr\.": "verbigracia", r"trad\.": "traducción", r"Dto\.": "descuento",
    r"dto\.": "descuento",
    r"Admón\.": "administración", r"admón\.": "administración", r"Bco\.": "banco",
    r"S\. ?L\.(?! [A-ZÁÉÍÓÚ][a-z])": "sociedad limitada",
}  # fmt: skip
SPANISH_ENDINGS: Final = frozenset(
    {
        "etcétera",
        "Estados Unidos",
        "antes de Cristo",
        "después de Cristo",
        "de la mañana",
        "de la tarde",
        "izquierda",
        "derecha",
        "sociedad anónima",
        "compañía",
        "limitada",
        "hermanos",
        "sociedad limitada",
    }
)
