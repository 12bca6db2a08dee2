"""How written Chinese is read aloud, in simplified or traditional characters."""

import re
from typing import Final
from unicodedata import normalize

from realtime.text_normalization.numerals import DIGITS, cardinal, roman, whole
from realtime.text_normalization.rules import Rule, one_of

_NUMBER: Final = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_DAY: Final = "(1[0-2]|0?[1-9])/([12][0-9]|3[01]|0?[1-9])"
_BEFORE: Final = r"(?<![0-9.,/:-])"
_AFTER: Final = r"(?![0-9/]|[.,:][0-9])"

_CURRENCIES: Final = {
    "￥": "元", "¥": "元", "RMB": "元", "CNY": "元", "$": "美元", "US$": "美元", "USD": "美元", "€": "欧元",
    "EUR": "欧元",
    "£": "英镑", "GBP": "英镑", "HK$": "港元", "NT$": "新台币", "₩": "韩元", "JPY": "日元", "HKD": "港元", "A$": "澳元",
    "AUD": "澳元", "C$": "加元",
    "CAD": "加元", "CHF": "瑞士法郎", "KRW": "韩元", "₹": "卢比",
}  # fmt: skip
_UNITS: Final = {
    "km": "公里", "m": "米", "cm": "厘米", "mm": "毫米", "kg": "公斤", "g": "克", "mg": "毫克", "t": "吨", "L": "升",
    "l": "升",
    "mL": "毫升", "ml": "毫升", "h": "小时", "min": "分钟", "s": "秒", "ms": "毫秒", "℃": "摄氏度", "°C": "摄氏度",
    "℉": "华氏度", "°F": "华氏度", "°": "度", "km²": "平方公里", "m²": "平方米", "㎡": "平方米", "m³": "立方米",
    "ha": "公顷",
    "km/h": "公里每小时", "m/s": "米每秒", "kW": "千瓦", "kWh": "千瓦时", "W": "瓦", "V": "伏", "A": "安", "Hz": "赫兹",
    "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "KB": "千字节", "MB": "兆字节", "GB": "吉字节", "TB": "太字节",
    "dB": "分贝",
    "kcal": "千卡", "mmHg": "毫米汞柱", "W/m²": "瓦每平方米", "mg/L": "毫克每升",
}  # fmt: skip
_MEASURE_WORDS: Final = (
    "个個位只隻张張条條本辆輛台件次天年周週小分秒种種杯瓶斤公里米元块塊岁歲层層间間家双雙对對份套名点點场場首封道支枝句勺匙碗盘盒箱袋"
    "季集倍款步遍滴口粒盒包箱袋群项項篇幅座把匹头頭根朵棵栋棟"
)
"""Words, by their first characters, before which two is the two of things that are counted."""

_SYMBOLS: Final = {
    "+": "加", "=": "等于", "×": "乘以", "÷": "除以", "±": "正负", "≈": "约等于", "<": "小于", ">": "大于",
    "≥": "大于等于",
    "≤": "小于等于", "≠": "不等于", "&": "和", "@": "艾特", "→": "到", "√": "根号", "★": "星",
}  # fmt: skip


def _digits(number: str) -> str:
    return "".join(DIGITS["zh"][int(digit)] for digit in number if digit.isdecimal())


def _called(number: str) -> str:
    """Return the digits of a number that is called; one is then "yao", which cannot be taken for seven."""
    return _digits(number).replace("一", "幺")


def _aircraft(match: re.Match[str]) -> str:
    """Name the type of an aircraft and its variant digit by digit."""
    return match[1] + _digits(match[2]) + (f"杠{_digits(match[3])}" if match[3] else "")


def _said(number: str) -> str:
    """Say a whole number or a decimal; two thousand at its beginning with the two of things that are counted."""
    before, _, fraction = number.replace(",", "").partition(".")
    words = re.sub("^二(?=[千万亿])", "两", whole(before, "zh"))
    return f"{words}点{_digits(fraction)}" if fraction else words


def _date(match: re.Match[str]) -> str:
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{_digits(match['year'])}年{cardinal(month, 'zh')}月{cardinal(day, 'zh')}日"


def _time(match: re.Match[str]) -> str:
    hour, minute, second = int(match["hour"]), int(match["minute"]), match["second"]
    words = f"{'两' if hour == 2 else cardinal(hour, 'zh')}点"
    if minute or second:
        words += f"{'零' if minute < 10 else ''}{cardinal(minute, 'zh')}分" if minute else "零分"
    elif not match.string[match.end() :].startswith(("整", "钟", "鐘", "之", "前", "后", "以", "左", "到")):
        words += "整" if not match.string[: match.start()].endswith("到") else ""
    return words + (f"{cardinal(int(second), 'zh')}秒" if second else "")


def _month(match: re.Match[str]) -> str:
    return f"{_digits(match[1])}年{cardinal(int(match[2]), 'zh')}月"


def _day(month: str, day: str) -> str:
    return f"{cardinal(int(month), 'zh')}月{cardinal(int(day), 'zh')}日"


def _days(match: re.Match[str]) -> str:
    """Read days from one to another; where the second is not later, these are fractions."""
    month, day, last_month, last_day = (int(match[group]) for group in (1, 2, 4, 5))
    if "-" in match[3] and (last_month, last_day) <= (month, day):
        return match[0]
    return f"{_day(match[1], match[2])}{match[3]}{_day(match[4], match[5])}"


def _numeral(match: re.Match[str]) -> str:
    value = roman(match[1])
    return match[1] if value is None else cardinal(value, "zh")


def _address(match: re.Match[str]) -> str:
    """Name the stops and other marks of an address."""
    marks = {".": "点", "/": "斜杠", "@": "艾特", "-": "杠", "_": "下划线", ":": "冒号"}
    return "".join(marks.get(each, each) for each in match[1])


def _money(match: re.Match[str]) -> str:
    """Say an amount; of the yuan two decimals are tenths and hundredths."""
    name, number = _CURRENCIES[match["sign"]], match["amount"].replace(",", "")
    yuan, _, fraction = number.partition(".")
    if match["large"]:
        return f"{_said(number)}{match['large']}{name}"
    if not fraction.strip("0"):
        return f"{_counted(int(yuan))}{name}"
    if name != "元" or len(fraction) > 2:
        return f"{_said(number)}{name}"
    tenths, hundredths = (int(digit) for digit in f"{fraction:0<2}")
    words = f"{_counted(int(yuan))}元" if int(yuan) else ""
    words += f"{cardinal(tenths, 'zh')}角" if tenths else "零" if words else ""
    return words + (f"{cardinal(hundredths, 'zh')}分" if hundredths else "")


def _counted(number: int) -> str:
    return "两" if number == 2 else cardinal(number, "zh")


def _measure(match: re.Match[str]) -> str:
    number = match["number"]
    words = "两" if number == "2" and match["unit"] not in ("℃", "°C", "°") else _said(number)
    return words + match["large"] + _UNITS[match["unit"]]


_SIGNS: Final = one_of(_CURRENCIES)
_AMOUNT: Final = rf"(?P<amount>{_NUMBER})(?P<large>[万亿萬億百千]*)"
_HOUR: Final = r"(?P<hour>[01]?[0-9]|2[0-4])[:：](?P<minute>[0-5][0-9])(?:[:：](?P<second>[0-5][0-9]))?"

CHINESE: Final[tuple[Rule, ...]] = (
    (re.compile("[Ａ-Ｚａ-ｚ０-９％＋＝]+"), lambda match: normalize("NFKC", match[0])),
    (re.compile(r"(?<=公元前)([0-9]{3,4})(?=年)"), lambda match: _digits(match[1])),
    (re.compile(r"(?<![0-9])(?P<year>[12][0-9]{3})(?P<mark>[-/.])(?P<month>[01]?[0-9])(?P=mark)(?P<day>[0-3]?[0-9])(?![0-9/-]|\.[0-9])"),
     _date),
    (re.compile(r"(?<![0-9])([12][0-9]{3}|[0-9]{2}(?! ?年代))(?:(?= ?年)|[-–~～至到](?=[12][0-9]{3} ?年))"
                r"(?! ?年(?:级|前|后|來|来))"),
     lambda match: _digits(match[1]) + ("到" if match[0][-1:] not in match[1] else "")),
    (re.compile(r"(?<![\w./-])([12][0-9]{3})[-/](0[1-9]|1[0-2])(?![0-9/.-])"), _month),
    (re.compile(rf"(?<![0-9/.]){_DAY}( ?[至到~～-] ?){_DAY}(?![0-9/]| ?(?:=|等于|等於|是多少))"), _days),
    (re.compile(rf"(?<=日[至到~～-]){_DAY}(?![0-9/])"), lambda match: _day(match[1], match[2])),
    (re.compile(r"(?<=[\u4e00-\u9fff]) ?[~～] ?(?=[\u4e00-\u9fff])"), "到"),
    (re.compile(r"(?<=[0-9]) ?[-–~～至] ?(?=[0-2]?[0-9][:：][0-5][0-9](?![0-9]))"), "到"),
    (re.compile(rf"{_BEFORE}{_HOUR} ?(?P<half>[AaPp])\.?[Mm]\b\.?"),
     lambda match: ("上午" if match["half"] in "aA" else "下午") + _time(match)),
    (re.compile(rf"{_BEFORE}{_HOUR}(?![0-9])"), _time),
    (re.compile(r"(?<![A-Za-z0-9.])(?:https?://)?([A-Za-z0-9_-]+(?:[.@][A-Za-z0-9_-]+)*[.@](?:[0-9]+|[A-Za-z]{2,8})(?:/[\w./-]+)?"
                r"(?<=[A-Za-z]))(?![A-Za-z0-9@])"), _address),
    (re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])"),
     lambda match: "点".join(_digits(part) for part in match[0].split("."))),
    (re.compile(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){2}(?![0-9.])"),
     lambda match: "点".join(_said(part) for part in match[0].split("."))),
    (re.compile(r"(?<=[0-9℃°C%]) ?[~～] ?(?=[-−]?[0-9])"), "到"),
    (re.compile(r"(?<!\w)\+(?=[0-9])([0-9][0-9 -]{5,}[0-9])"), lambda match: "加" + _digits(match[1])),
    (re.compile(r"(?<![0-9.])(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|[48]00-?[0-9]{3}-?[0-9]{4})(?![0-9])"),
     lambda match: _called(match[0])),
    (re.compile(r"(?:(?<=[电話话號号碼码拨打機机])|(?<=[号话码机编][是为]))[ :：]*((?:[0-9]{3,}[- ]?)+)(?![0-9.])"),
     lambda match: _called(match[1])),
    (re.compile(r"(?<![0-9.])(1[0-9]{2}|1[02][0-9]{3}|9[56][0-9]{3})(?=打|电话|热线|报警|報警)"),
     lambda match: _called(match[1])),
    (re.compile(r"((?<=航班)[A-Z0-9]{2}|(?<![A-Za-z0-9])[A-Z]{2})([0-9]{3,4})(?=次航班|航班|(?<=航班......)|于|起飞)"),
     lambda match: match[1] + _called(match[2])),
    (re.compile(r"(?:(?<=波音)|(?<=空客)) ?(A?)([37][0-9]{2})(?:-([0-9]{1,3}))?(?![0-9架亿億万萬元名人家])"),
     _aircraft),
    (re.compile(r"(?<![A-Za-z0-9])([GDCZTKL])([0-9]{1,4})(?=次|列|号车|车)"),
     lambda match: match[1] + _called(match[2])),
    (re.compile(r"[（(](0[0-9]{2,3})[)）] ?([0-9]{7,8})(?![0-9])"), lambda match: _called(match[1] + match[2])),
    (re.compile(r"(?<=ISBN)[ :：]*([0-9](?:-?[0-9]){5,15}[0-9X]?)(?![0-9])"), lambda match: _digits(match[1])),
    (re.compile(r"(?<=[一-鿿][A-Z])·?([0-9]{5})(?![0-9])"), lambda match: _digits(match[1])),  # of a car
    (re.compile(r"(?<![0-9.])([0-9]{3})(?=路(?!程|线|口))"), lambda match: _digits(match[1])),
    (re.compile(r"(?<![0-9])(20[0-9]{2})[-–/]([0-9]{2})(?=赛季|学年|年度|賽季|學年)"),
     lambda match: f"{_digits(match[1])}至{_digits(match[2])}"),
    (re.compile(r"(?<![0-9])([0-9]0)(?=后|後)"), lambda match: _digits(match[1])),
    (re.compile(rf"(?P<sign>{_SIGNS}) ?{_AMOUNT}"), _money),
    (re.compile(rf"{_BEFORE}{_AMOUNT} ?(?P<sign>{_SIGNS})"), _money),
    (re.compile("(?<=[元块角])/(?=[月年天日人件次斤米吨小晚位公千平])"), "每"),
    (re.compile(rf"{_BEFORE}({_NUMBER})%?[-–~～]({_NUMBER})%"),
     lambda match: f"百分之{_said(match[1])}到百分之{_said(match[2])}"),
    (re.compile(rf"[-−]({_NUMBER}) ?[%％]"), lambda match: f"负百分之{_said(match[1])}"),
    (re.compile(rf"({_NUMBER}) ?[%％]"), lambda match: f"百分之{_said(match[1])}"),
    (re.compile(rf"({_NUMBER}) ?‰"), lambda match: f"千分之{_said(match[1])}"),
    (re.compile(r"(?<![0-9A-Za-z.,/:)-])([-−]?)([0-9]+) ?/ ?([0-9]+)(?![0-9/.])"),
     lambda match: ("负" if match[1] else "")
     + f"{cardinal(int(match[3]), 'zh')}分之{cardinal(int(match[2]), 'zh')}"),
    (re.compile(r"[-−](?=(?:百|千|万|[0-9]+)分之)"), "负"),
    (re.compile(r"([0-9]+)分之([0-9]+)"),
     lambda match: f"{_said(match[1]).removeprefix('一')}分之{_said(match[2])}"),
    (re.compile(r"(?<=比分[是为])([0-9]{1,3}) ?[-–] ?([0-9]{1,3})"
                r"|(?<=以)([0-9]{1,3})[-–]([0-9]{1,3})(?=[战戰击擊胜勝大力负負输輸])"
                r"|(?<![0-9.-])([0-9]{1,3})[-–]([0-9]{1,3})(?=[战戰获獲取险險完大]胜|[战戰]勝|击败|擊敗|打败|领先|落后|逆转|不敌|负于|战平)"),
     lambda match: "比".join(_said(score) for score in match.groups() if score)),
    (re.compile(r"(?<![0-9:])([0-9]{1,3})[:：]([0-9]{1,7})(?![0-9:])"),
     lambda match: f"{cardinal(int(match[1]), 'zh')}比{cardinal(int(match[2]), 'zh')}"),
    (re.compile(rf"(?<=[0-9]) ?[-−] ?(?=(?:{_NUMBER}) ?=)"), "减"),
    (re.compile(rf"(?<=[0-9]) ?[-–~～] ?(?=(?:{_NUMBER}))"), "到"),
    (re.compile(rf"(?<![A-Za-z0-9)])[-−](?=(?:{_NUMBER})(?:[到至][-−]?(?:{_NUMBER}))? ?(?:℃|°|摄氏度"
                "|度(?![一-鿿])))"), "零下"),
    (re.compile(rf"(?<![A-Za-z0-9)])[-−](?={_NUMBER})"), "负"),
    (re.compile(rf"{_BEFORE}(?P<number>{_NUMBER})(?P<large>[万亿]?) ?(?P<unit>{one_of(_UNITS)})"
                r"(?![A-Za-z0-9/²³])"), _measure),
    (re.compile(r"(?<![0-9.])[0-9]{3,4}(?=室|房|号房)|(?<=房间|房間|房号|端口|密码|邮编)[：:]?[0-9]{3,6}"),
     lambda match: _digits(match[0])),
    (re.compile(rf"(?<=每)({one_of(_UNITS)})(?![A-Za-z0-9/²³])"), lambda match: _UNITS[match[1]]),
    (re.compile(r"(?:(?<=第)|(?<![\w.-])(?!V型|X型))([IVX]{1,5})(?=[型期级級类類章节節卷部届屆]|世纪|世紀)"), _numeral),
    (re.compile(r"(?<=第)([0-9]+)"), lambda match: cardinal(int(match[1]), "zh")),
    (re.compile(rf"(?<![0-9.,第A-Za-z])2(?= ?[{_MEASURE_WORDS}万亿千])(?! ?(?:点[0-9]|分之|次方|年级))"), "两"),
    (re.compile("(?<![0-9.])0(?=[1-9][月日号時时点])"), ""),
    (re.compile(r"(?<![0-9.,])0[0-9]+(?![0-9.])"), lambda match: _digits(match[0])),
    (re.compile(r"\b([BCOP])2([BCOP])\b"), r"\1 to \2"),
    (re.compile(r"(?<=[0-9])[wW](?![A-Za-z0-9])"), "万"),
    (re.compile(r"(?<=[0-9A-Za-z])([²³])"), lambda match: {"²": "的平方", "³": "的立方"}[match[1]]),
    (re.compile(r"(?<=[0-9A-Za-z)])\^([0-9]+)"), lambda match: f"的{cardinal(int(match[1]), 'zh')}次方"),
    (re.compile(r"\b([A-Za-z]+)-?(?=[0-9])"), r"\1 "),
    (re.compile(_NUMBER), lambda match: _said(match[0])),
    (re.compile("[" + re.escape("".join(_SYMBOLS)) + "]"), lambda match: _SYMBOLS[match[0]]),
    (re.compile(r"[\\_^~*#|]+"), " "),
)  # fmt: skip
"""All rules in the order of their use."""
