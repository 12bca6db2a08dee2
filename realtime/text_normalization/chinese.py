"""How written Chinese is read aloud, in simplified or traditional characters."""

import re
from typing import Final

from realtime.text_normalization.numerals import DIGITS, cardinal, whole
from realtime.text_normalization.rules import Rule, one_of

_NUMBER: Final = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_BEFORE: Final = r"(?<![0-9.,/:-])"
_AFTER: Final = r"(?![0-9/]|[.,:][0-9])"

_CURRENCIES: Final = {
    "￥": "元", "¥": "元", "RMB": "元", "CNY": "元", "$": "美元", "US$": "美元", "USD": "美元", "€": "欧元",
    "EUR": "欧元",
    "£": "英镑", "GBP": "英镑", "HK$": "港元", "NT$": "新台币", "₩": "韩元", "JPY": "日元",
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
    "个個位只隻张張条條本辆輛台件次天年个月周週小时小時分钟分鐘秒种種杯瓶斤公里米公斤元块塊岁歲层層间間家双雙对對份套"
)
_SYMBOLS: Final = {
    "+": "加", "=": "等于", "×": "乘以", "÷": "除以", "±": "正负", "≈": "约等于", "<": "小于", ">": "大于",
    "≥": "大于等于",
    "≤": "小于等于", "&": "和", "@": "艾特", "→": "到", "√": "根号",
}  # fmt: skip


def _digits(number: str) -> str:
    return "".join(DIGITS["zh"][int(digit)] for digit in number if digit.isdecimal())


def _said(number: str) -> str:
    """Say a whole number or a decimal."""
    before, _, fraction = number.replace(",", "").partition(".")
    words = whole(before, "zh")
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
    elif hour > 12 or not minute:
        words += "整" if not match.string[match.end() :].startswith(("整", "钟", "鐘")) else ""
    return words + (f"{cardinal(int(second), 'zh')}秒" if second else "")


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
    return words + _UNITS[match["unit"]]


_SIGNS: Final = one_of(_CURRENCIES)
_AMOUNT: Final = rf"(?P<amount>{_NUMBER})(?P<large>[万亿萬億百千]*)"
_HOUR: Final = r"(?P<hour>[01]?[0-9]|2[0-4])[:：](?P<minute>[0-5][0-9])(?:[:：](?P<second>[0-5][0-9]))?"

CHINESE: Final[tuple[Rule, ...]] = (
    (re.compile(r"(?<![0-9])(?P<year>[12][0-9]{3})(?P<mark>[-/.])(?P<month>[01]?[0-9])(?P=mark)(?P<day>[0-3]?[0-9])(?![0-9/-]|\.[0-9])"),
     _date),
    (re.compile(r"(?<![0-9])([12][0-9]{3}|[0-9]{2}(?! ?年代))(?:(?= ?年)|[-–~～至到](?=[12][0-9]{3} ?年))"
                r"(?! ?年(?:级|前|后|來|来))"),
     lambda match: _digits(match[1]) + ("到" if match[0][-1:] not in match[1] else "")),
    (re.compile(rf"{_BEFORE}{_HOUR}(?![0-9])"), _time),
    (re.compile(r"(?<!\w)\+(?=[0-9])([0-9][0-9 -]{5,}[0-9])"), lambda match: "加" + _digits(match[1])),
    (re.compile(r"(?<![0-9.])(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}|[48]00-?[0-9]{3}-?[0-9]{4})(?![0-9])"),
     lambda match: _digits(match[0])),
    (re.compile(r"(?<=[电話话号碼码拨打機机]) ?[:：]?((?:[0-9]{3,}[- ]?)+)(?![0-9.])"),
     lambda match: _digits(match[1])),
    (re.compile(rf"(?P<sign>{_SIGNS}) ?{_AMOUNT}"), _money),
    (re.compile(rf"{_BEFORE}{_AMOUNT} ?(?P<sign>{_SIGNS})"), _money),
    (re.compile(rf"{_BEFORE}({_NUMBER})%?[-–~～]({_NUMBER})%"),
     lambda match: f"百分之{_said(match[1])}到百分之{_said(match[2])}"),
    (re.compile(rf"[-−]({_NUMBER}) ?[%％]"), lambda match: f"负百分之{_said(match[1])}"),
    (re.compile(rf"({_NUMBER}) ?[%％]"), lambda match: f"百分之{_said(match[1])}"),
    (re.compile(rf"({_NUMBER}) ?‰"), lambda match: f"千分之{_said(match[1])}"),
    (re.compile(rf"{_BEFORE}([0-9]+)/([0-9]+)(?![0-9/.])"),
     lambda match: f"{cardinal(int(match[2]), 'zh')}分之{cardinal(int(match[1]), 'zh')}"),
    (re.compile(r"(?<![0-9:])([0-9]{1,3})[:：]([0-9]{1,3})(?![0-9:])"),
     lambda match: f"{cardinal(int(match[1]), 'zh')}比{cardinal(int(match[2]), 'zh')}"),
    (re.compile(rf"(?<=[0-9]) ?[-−] ?(?=(?:{_NUMBER}) ?=)"), "减"),
    (re.compile(rf"(?<=[0-9]) ?[-–~～] ?(?=(?:{_NUMBER}))"), "到"),
    (re.compile(rf"(?<![A-Za-z0-9)])[-−](?={_NUMBER})"), "负"),
    (re.compile(rf"{_BEFORE}(?P<number>{_NUMBER}) ?(?P<unit>{one_of(_UNITS)})(?![A-Za-z0-9/²³])"), _measure),
    (re.compile(r"(?<![0-9.])([0-9]{3,4})(?=室|房|号房)"), lambda match: _digits(match[1])),
    (re.compile(rf"(?<=每)({one_of(_UNITS)})(?![A-Za-z0-9/²³])"), lambda match: _UNITS[match[1]]),
    (re.compile(r"(?<=第)([0-9]+)"), lambda match: cardinal(int(match[1]), "zh")),
    (re.compile(rf"(?<![0-9.,第])2(?= ?[{_MEASURE_WORDS}万亿千])"), "两"),
    (re.compile(r"(?<![0-9.])0[0-9]+(?![0-9.])"), lambda match: _digits(match[0])),
    (re.compile(r"\b([A-Za-z]+)-?(?=[0-9])"), r"\1 "),
    (re.compile(_NUMBER), lambda match: _said(match[0])),
    (re.compile("[" + re.escape("".join(_SYMBOLS)) + "]"), lambda match: _SYMBOLS[match[0]]),
    (re.compile(r"[\\_^~*#|]+"), " "),
)  # fmt: skip
"""All rules in the order of their use."""
