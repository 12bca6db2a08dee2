"""Further abbreviations of German, French and Spanish: what they are read as depends on nothing but themselves.

A table has `abbreviation=reading` between semicolons, without blanks in the abbreviation; written text may have one
after each stop. `#` behind an abbreviation stands for a number that must follow, `^` for a capital, and `!` says that
sentences end with it, so that a capital after its stop begins another one. None without a mark is a word that sentences
end with. They are those of the Duden, of the Lexique of the Imprimerie nationale and of the Ortografía of the Real
Academia Española, and those of addresses, prescriptions, advertisements and invoices.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from realtime.text_normalization.rules import Rule

_MARKS: Final = "#^!"
_SENTENCE_BEGINS: Final = re.compile(r"(?:^|[.!?:;\n(„“\"«»–-])\s*$")


def begins_sentence(match: re.Match[str]) -> bool:
    """Return whether a match is the first of a sentence, where a capital means nothing."""
    return _SENTENCE_BEGINS.search(match.string, max(0, match.start() - 4), match.start()) is not None


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Readings of abbreviations.

    Attributes:
        readings: What is read for each, as it is written without blanks.
        conditions: What must follow some of them, as a pattern.
        ending: Those that sentences end with.
    """

    readings: Mapping[str, str]
    conditions: Mapping[str, str]
    ending: frozenset[str]

    def rule(self, ends_sentence: Callable[[re.Match[str], bool], bool]) -> Rule:
        """Return the rule that writes them out, also at the beginning of a sentence, with a capital.

        `ends_sentence` returns whether the sentence ends with a match, given whether sentences can.
        """
        written = {_pattern(each) + self.conditions.get(each, r"(?!\w)"): each for each in self.readings}
        longest_first = "|".join(sorted(written, key=len, reverse=True))

        def read(match: re.Match[str]) -> str:
            key = match[0].replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
            reading = self.readings.get(key)
            if reading is None:
                if not begins_sentence(match):
                    return match[0]
                key = key[0].lower() + key[1:]
                reading = self.readings[key][0].upper() + self.readings[key][1:]
            follows = " " if match.string[match.end() : match.end() + 1].isdigit() else ""
            stop = "." if ends_sentence(match, key in self.ending) else ""
            return f"{reading}{stop}{follows}"

        return re.compile(rf"(?<![\w.])(?:{longest_first})"), read


def _pattern(abbreviation: str) -> str:
    first, rest = abbreviation[0], abbreviation[1:]
    initials = len(rest) == 1 or re.fullmatch(r"\.[A-ZÄÖÜ]\.", rest)  # "V. Hugo", "M. W. Schmidt"
    either = f"[{first}{first.upper()}]" if first.islower() and not initials else first
    return either + re.escape(rest).replace(r"\.", r"\.[ \u00a0\u202f]?").removesuffix(r"[ \u00a0\u202f]?")


def _dictionary(table: str) -> Dictionary:
    readings: dict[str, str] = {}
    conditions: dict[str, str] = {}
    ending: set[str] = set()
    for entry in filter(None, map(str.strip, table.replace("\n", " ").split(";"))):
        written, _, reading = entry.partition("=")
        abbreviation = written.rstrip(_MARKS)
        readings[abbreviation] = reading
        marks = written[len(abbreviation) :]
        if "#" in marks:
            conditions[abbreviation] = r"(?= ?[0-9IVX])"
        elif "^" in marks:
            conditions[abbreviation] = "(?= [A-ZÄÖÜÀÉÈÎÁÍÓÚ])"
        if "!" in marks:
            ending.add(abbreviation)
    return Dictionary(readings, conditions, frozenset(ending))


GERMAN: Final = _dictionary("""
Abf.=Abfahrt; Abg.=Abgeordneter; Abk.=Abkürzung; Abschn.=Abschnitt; Adr.=Adresse; Akad.=Akademie; allerd.=allerdings;
amtl.=amtlich; Anf.=Anfang; Angest.=Angestellte; Anh.=Anhang; Ank.=Ankunft; Anl.=Anlage; anschl.=anschließend;
Anschr.=Anschrift; Anz.=Anzahl; Arbeitg.=Arbeitgeber; Art.-Nr.=Artikelnummer; ausführl.=ausführlich;
ausgen.=ausgenommen; Ausk.=Auskunft; ausschl.=ausschließlich; Az.=Aktenzeichen; Bearb.=Bearbeitung; befr.=befristet;
beil.=beiliegend; Besch.=Bescheinigung; Beschr.=Beschreibung; Best.-Nr.=Bestellnummer; Betr.=Betreff;
betr.=betreffend; bez.=bezahlt; bisw.=bisweilen; Bj.=Baujahr; Bl.#=Blatt; Blk.=Balkon; brit.=britisch;
Buchh.=Buchhaltung; chem.=chemisch; d.J.=dieses Jahres; d.M.=dieses Monats; d.s.=das sind; d.Ä.=der Ältere;
derz.=derzeit; desgl.=desgleichen; dgl.!=dergleichen; Dipl.-Biol.=Diplom-Biologe; Dipl.-Inf.=Diplom-Informatiker;
Dipl.-Kffr.=Diplom-Kauffrau; Dipl.-Kfm.=Diplom-Kaufmann; Dipl.-Phys.=Diplom-Physiker; Dipl.-Psych.=Diplom-Psychologe;
Dipl.-Päd.=Diplom-Pädagoge; div.=diverse; Doz.=Dozent; Dtzd.=Dutzend; durchschn.=durchschnittlich; dzt.=derzeit;
ehem.=ehemals; eidg.=eidgenössisch; eigtl.=eigentlich; einz.=einzeln; elektr.=elektrisch; empf.=empfohlen;
entspr.=entsprechend; Erdg.=Erdgeschoss; erf.=erforderlich; erg.=ergänzt; erl.=erledigt; Erw.=Erwachsene; etw.=etwas;
europ.=europäisch; ev.=evangelisch; Expl.=Exemplare; Fn.#=Fußnote; folg.=folgende; Forts.=Fortsetzung;
freiw.=freiwillig; freundl.=freundlich; Frl.=Fräulein; ganzt.=ganztags; gebr.=gebraucht; Gebr.^=Gebrüder;
gegebenenf.=gegebenenfalls; gek.=gekürzt; Gem.=Gemeinde; gem.=gemäß; Gesamtfl.=Gesamtfläche; gesch.=geschieden;
geschl.=geschlossen; gesetzl.=gesetzlich; gez.=gezeichnet; ggü.=gegenüber; gleichz.=gleichzeitig; Gr.#=Größe;
Grdst.=Grundstück; griech.=griechisch; Grundst.=Grundstück; hauptber.=hauptberuflich; Hausnr.=Hausnummer;
hist.=historisch; hl.=heilige; Hl.=Heilige; i.Allg.=im Allgemeinen; i.d.F.=in der Fassung; i.e.S.=im engeren Sinne;
i.H.v.=in Höhe von; i.O.!=in Ordnung; i.R.!=im Ruhestand; i.S.d.=im Sinne des; i.S.v.=im Sinne von;
i.V.m.=in Verbindung mit; i.w.S.=im weiteren Sinne; incl.=inklusive; insb.=insbesondere; insbes.=insbesondere;
insg.=insgesamt; Inst.=Institut; internat.=international; ital.=italienisch; jap.=japanisch; jew.=jeweils;
jmd.=jemand; jmdm.=jemandem; jmdn.=jemanden; jmds.=jemandes; Kaltm.=Kaltmiete; kath.=katholisch; Kaut.=Kaution;
Kd.-Nr.=Kundennummer; kfm.=kaufmännisch; kgl.=königlich; Kl.#=Klasse; kostenl.=kostenlos; kpl.=komplett;
Kto.-Nr.=Kontonummer; Kto.=Konto; kurzfr.=kurzfristig; landw.=landwirtschaftlich; langfr.=langfristig; led.=ledig;
lfd.=laufende; Lfg.=Lieferung; Lit.=Literatur; ltd.=leitende; Ltg.=Leitung; luth.=lutherisch;
m.a.W.=mit anderen Worten; m.W.=meines Wissens; Mag.^=Magister; mdl.=mündlich; Mitarb.=Mitarbeiter; Mitgl.=Mitglied;
mittl.=mittlere; morg.=morgens; Msp.=Messerspitze; männl.=männlich; möbl.=möbliert; n.J.=nächsten Jahres;
n.M.=nächsten Monats; Nachf.!=Nachfolger; nachf.=nachfolgend; nat.=national; niederl.=niederländisch;
norw.=norwegisch; notw.=notwendig; Nutzfl.=Nutzfläche; nördl.=nördlich; o.a.=oben angegeben; o.B.!=ohne Befund;
o.J.!=ohne Jahr; o.k.!=okay; offiz.=offiziell; orig.=original; p.a.!=pro Jahr; p.Adr.=per Adresse; p.P.!=pro Person;
pers.=persönlich; Pf.=Pfennig; Pfd.=Pfund; Pkg.=Packung; Pl.#=Platz; polit.=politisch; poln.=polnisch; priv.=privat;
prot.=protestantisch; Proz.=Prozent; pünktl.=pünktlich; Rd.-Nr.=Randnummer; rd.=rund; Ref.=Referat;
regelm.=regelmäßig; Rep.=Republik; resp.=respektive; Rg.-Nr.=Rechnungsnummer; Rn.#=Randnummer;
röm.-kath.=römisch-katholisch; röm.=römisch; s.a.=siehe auch; s.Z.=seinerzeit; schriftl.=schriftlich;
schwed.=schwedisch; Sek.=Sekunden; selbstst.=selbstständig; soz.=sozial; Sp.#=Spalte; span.=spanisch; spez.=speziell;
staatl.=staatlich; Stck.=Stück; stdl.=stündlich; Stellpl.=Stellplatz; Stellv.=Stellvertreter; stv.=stellvertretende;
städt.=städtisch; südl.=südlich; Taf.#=Tafel; techn.=technisch; Teiln.=Teilnehmer; teilw.=teilweise;
Tel.-Nr.=Telefonnummer; telef.=telefonisch; Term.=Termin; Terr.=Terrasse; tgl.=täglich; tschech.=tschechisch;
türk.=türkisch; u.E.=unseres Erachtens; u.s.w.!=und so weiter; u.v.a.!=und viele andere;
u.v.a.m.!=und vieles andere mehr; u.W.=unseres Wissens; u.zw.=und zwar; ugs.=umgangssprachlich; unbefr.=unbefristet;
unbek.=unbekannt; ungar.=ungarisch; ungef.=ungefähr; Univ.-Prof.=Universitätsprofessor; Univ.=Universität;
unverb.=unverbindlich; USt.-IdNr.=Umsatzsteuer-Identifikationsnummer; USt.=Umsatzsteuer; v.a.=vor allem;
v.H.!=vom Hundert; v.J.!=vorigen Jahres; v.l.n.r.=von links nach rechts; v.M.!=vorigen Monats; Veranst.=Veranstaltung;
Verf.=Verfasser; Verl.=Verlag; vermutl.=vermutlich; versch.=verschiedene; Verw.=Verwaltung; verw.=verwitwet;
Veröff.=Veröffentlichung; viell.=vielleicht; vollst.=vollständig; vorauss.=voraussichtlich;
voraussichtl.=voraussichtlich; vorl.=vorläufig; vormitt.=vormittags; Vors.=Vorsitzender; Vorw.=Vorwahl;
vsl.=voraussichtlich; w.o.=wie oben; Warmm.=Warmmiete; weibl.=weiblich; westl.=westlich; wg.=wegen; Whg.=Wohnung;
wirtsch.=wirtschaftlich; wiss.=wissenschaftlich; Wohnfl.=Wohnfläche; Wwe.=Witwe; wöch.=wöchentlich;
z.Hd.v.=zu Händen von; z.K.!=zur Kenntnis; zahlr.=zahlreiche; zeitl.=zeitlich; zit.=zitiert; Ztr.=Zentner;
zul.=zulässig; Zuschr.=Zuschriften; Zust.=Zustand; zusätzl.=zusätzlich; zw.=zwischen; zzt.=zurzeit; ärztl.=ärztlich;
öff.=öffentlich; öffentl.=öffentlich; örtl.=örtlich; österr.=österreichisch; östl.=östlich; Übers.=Übersetzung;
übl.=üblich
""")


FRENCH: Final = _dictionary("""
abrév.=abréviation; acad.=académie; adh.=adhérents; adm.=administration; admin.=administration; anc.=ancien;
anim.=animation; ann.#=annexe; app.#=appartement; Appart.=appartement; appart.=appartement; appt.=appartement;
arrdt.=arrondissement; asc.=ascenseur; assoc.=association; att.=attention; auj.=aujourd'hui; bcp=beaucoup;
bibl.=bibliothèque; boul.=boulevard; bull.=bulletin; c.c.!=charges comprises; c/o=chez; Cdt.=Commandant;
Cdt^=Commandant; ch.#=chapitre; chem.=chemin; chg.=charges; Cne^=Capitaine; col.#=colonne; Col.^=Colonel;
commerc.=commercial; conf.=conférence; coord.=coordonnées; Cte^=Comte; Ctesse=Comtesse; cuis.=cuisine;
dest.=destinataire; dict.=dictionnaire; dim.=dimanche; dispo.=disponible; doc.=document; Drs^=Docteurs; déb.=début;
dépt.=département; enr.=enregistré; esc.=escalier; exempl.=exemplaire; exp.=expéditeur; ext.=extérieur;
fasc.=fascicule; Fbg=faubourg; fbg=faubourg; Fg^=faubourg; fém.=féminin; Gal^=Général; gd=grand; gouv.=gouvernement;
gén.=général; Gén.^=Général; hist.=histoire; hôp.=hôpital; hôt.=hôtel; i.e.=c'est-à-dire; ibid.=ibidem; imm.=immeuble;
imméd.=immédiat; impr.=imprimerie; incl.=inclus; inf.=inférieur; ing.=ingénieur; insc.=inscription;
inscr.=inscription; inst.=institut; intro.=introduction; larg.=largeur; littér.=littéralement; loc.cit.=loco citato;
Lt-Col.=Lieutenant-Colonel; Lt^=Lieutenant; lun.=lundi; masc.=masculin; math.=mathématiques; mens.=mensuel;
mensualit.=mensualités; Mes^=Maîtres; Mgrs=Messeigneurs; N.-D.=Notre-Dame; N.B.=nota bene; nb=nombre; nbre=nombre;
nbx=nombreux; niv.=niveau; nouv.=nouveau; obs.=observation; op.cit.=opere citato; orig.=origine; ouvr.=ouvrage;
P.-S.=post-scriptum; p.-ê.=peut-être; P.J.=pièce jointe; p.j.=pièce jointe; P.S.=post-scriptum; pdt=pendant;
pers.=personnes; prof.^=professeur; prov.=province; Prs^=Professeurs; préf.=préface; qd=quand; qq.=quelques;
qqs=quelques; quest.=question; r.-d.-c.=rez-de-chaussée; R.-V.=rendez-vous; rdc=rez-de-chaussée; rech.=recherche;
rel.=relatif; rempl.=remplacement; rens.=renseignements; rev.=revue; réd.=rédaction; rég.=région; rés.=résidence;
s.d.!=sans date; s.d.b.=salle de bains; s.l.=sans lieu; s.v.p.!=s'il vous plaît; S.V.P.!=s'il vous plaît;
sdb=salle de bains; secr.=secrétariat; sect.=section; serv.=service; Sgt^=Sergent; sing.=singulier; spéc.=spécialité;
sq.=square; St^=Saint; stat.=statistiques; Ste^=Sainte; Sts^=Saints; subv.=subvention; syn.=synonyme; sém.=séminaire;
sér.=série; tabl.=tableau; temp.=température; terr.=terrasse; tjrs=toujours; tjs=toujours; tot.=total; trav.=travaux;
trim.=trimestre; univ.=université; util.=utilisation; v.^=voir; ven.=vendredi; vict.=victoire; Vte^=Vicomte; vx=vieux;
édit.=édition; égl.=église; ét.=étage
""")


SPANISH: Final = _dictionary("""
a/a=a la atención; AA.EE.!=asuntos exteriores; AA.VV.!=varios autores; abog.=abogado; abrev.=abreviatura;
adj.=adjunto; adm.=administración; admvo.=administrativo; Alfz.=alférez; alt.=altura; amuebl.=amueblado; ant.=antiguo;
apart.=apartado; arq.=arquitecto; Arq.=arquitecto; arts.=artículos; asc.=ascensor; asoc.=asociación;
atte.=atentamente; aux.=auxiliar; av.=avenida; avd.=avenida; avda.=avenida; Bibl.=biblioteca; bibl.=biblioteca;
blvr.=bulevar; Bo.^=barrio; cant.=cantidad; caps.=capítulos; capt.=capitán; carr.=carretera;
CC.AA.!=comunidades autónomas; CC.OO.!=Comisiones Obreras; cent.=centavos; cf.=confróntese; cfr.=confróntese;
Cmdte.=comandante; coc.=cocina; Comte.=comandante; cta.=cuenta; cte.=corriente; Cte.^=comandante; ctra.=carretera;
cts.=céntimos; cía.=compañía; cód.=código; d.e.p.!=descanse en paz; D.E.P.!=descanse en paz; D.L.#=depósito legal;
dcho.=derecho; dep.=departamento; depto.=departamento; der.!=derecha; desc.=descuento; dir.=dirección; doc.=documento;
docs.=documentos; dorm.!=dormitorios; Dras.=doctoras; Dres.=doctores; edif.=edificio; edit.=editorial; eds.=editores;
ejs.=ejemplos; entlo.=entresuelo; esc.=escalera; esq.=esquina; exp.=experiencia; ext.=extensión; F.C.^=fútbol club;
fac.=facultad; fasc.=fascículo; FF.AA.!=Fuerzas Armadas; figs.#=figuras; Fr.^=fray; fra.=factura; gdor.=gobernador;
gje.=garaje; gob.=gobierno; gral.=general; gtos.=gastos; hab.!=habitantes; ibíd.=ibídem; Ilmos.=ilustrísimos;
imp.=impuestos; incl.=incluido; ing.=ingeniero; inst.=instituto; int.=interior; izq.!=izquierda; izqdo.!=izquierdo;
JJ.OO.!=Juegos Olímpicos; Lcda.=licenciada; Lcdo.=licenciado; Lda.=licenciada; Ldo.=licenciado; lic.=licenciado;
loc.cit.=locus citado; long.=longitud; lám.#=lámina; Magfco.=magnífico; mens.=mensuales; mill.=millones; mod.=modelo;
mz.=manzana; máq.=máquina; móv.=móvil; N.B.=nota bene; nac.=nacional; nal.=nacional; nro.=número; Nro.=número;
núms.=números; ob.cit.=obra citada; obs.=observaciones; op.cit.=obra citada; p.#=página; P.D.=posdata; p.o.=por orden;
P.O.=por orden; P.V.P.=precio de venta al público; Pbro.=presbítero; pdo.=pasado; pers.!=personas; plza.=plaza;
pobl.=población; pp.#=páginas; pral.=principal; princ.=principal; priv.=privado; prof.=profesor; Prof.ª=profesora;
Profs.=profesores; prol.=prolongación; prov.=provincia; pta.=peseta; ptas.=pesetas; pzo.=pasaje; pág.=página;
págs.=páginas; párrs.#=párrafos; púb.=público; q.e.p.d.!=que en paz descanse; Q.E.P.D.!=que en paz descanse;
R.D.#=real decreto; Rda.=ronda; Rdo.=reverendo; ref.=referencia; reg.=registro; rep.=república;
RR.CC.!=Reyes Católicos; RR.HH.!=recursos humanos; RR.PP.!=relaciones públicas; Rte.=remitente; Rvdo.=reverendo;
S.A.R.=Su Alteza Real; S.A.U.!=sociedad anónima unipersonal; s.f.!=sin fecha; s.l.!=sin lugar;
S.L.U.!=sociedad limitada unipersonal; S.M.=Su Majestad; S.S.^=Su Santidad; s/n!=sin número; S/N!=sin número;
sdad.=sociedad; secc.=sección; Secc.=sección; secr.=secretaría; serv.=servicio; sgte.=siguiente; sgtes.!=siguientes;
Sgto.=sargento; Srs.=señores; Srtas.=señoritas; ss.!=siguientes; SS.MM.=Sus Majestades; sta.=santa; sto.=santo;
t.#=tomo; telf.=teléfono; tels.=teléfonos; teléf.=teléfono; teléfs.=teléfonos; temp.=temperatura; terr.=terraza;
tlf.=teléfono; tlfs.=teléfonos; trav.=travesía; Trav.=travesía; tít.=título; univ.=universidad; Univ.=universidad;
urb.=urbanización; urg.=urgente; v.^=véase; vda.=viuda; Vds.=ustedes; vend.=vendedor; vols.=volúmenes;
Vto.=vencimiento; vto.=vencimiento; VV.AA.!=varios autores; íd.=ídem
""")
