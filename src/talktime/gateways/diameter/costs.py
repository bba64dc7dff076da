"""Costs in Diameter (RFC 8506, 8.7): a number with its exponent, and a currency by its number.

Source of the numbers: ISO 4217, list one.
"""

from decimal import Decimal

from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.codec import write, write_group, write_unsigned

_NUMBERED = """
AED784 AFN971 ALL008 AMD051 ANG532 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050
BGN975 BHD048 BIF108 BMD060 BND096 BOB068 BOV984 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084
CAD124 CDF976 CHE947 CHF756 CHW948 CLF990 CLP152 CNY156 COP170 COU970 CRC188 CUC931 CUP192
CVE132 CZK203 DJF262 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230 EUR978 FJD242 FKP238 GBP826
GEL981 GHS936 GIP292 GMD270 GNF324 GTQ320 GYD328 HKD344 HNL340 HRK191 HTG332 HUF348 IDR360
ILS376 INR356 IQD368 IRR364 ISK352 JMD388 JOD400 JPY392 KES404 KGS417 KHR116 KMF174 KPW408
KRW410 KWD414 KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426 LYD434 MAD504 MDL498 MGA969
MKD807 MMK104 MNT496 MOP446 MRU929 MUR480 MVR462 MWK454 MXN484 MXV979 MYR458 MZN943 NAD516
NGN566 NIO558 NOK578 NPR524 NZD554 OMR512 PAB590 PEN604 PGK598 PHP608 PKR586 PLN985 PYG600
QAR634 RON946 RSD941 RUB643 RWF646 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925
SLL694 SOS706 SRD968 SSP728 STN930 SVC222 SYP760 SZL748 THB764 TJS972 TMT934 TND788 TOP776
TRY949 TTD780 TWD901 TZS834 UAH980 UGX800 USD840 USN997 UYI940 UYU858 UYW927 UZS860 VED926
VES928 VND704 VUV548 WST882 XAF950 XCD951 XOF952 XPF953 YER886 ZAR710 ZMW967 ZWL932
"""
CURRENCY_NUMBERS = {word[:3]: int(word[3:]) for word in _NUMBERED.split()}


def cost_information(amount: str, currency: str) -> bytes:
    """Cost-Information of an amount in units of the currency; nothing where the currency has no
    number.

    >>> cost_information("0.45", "EUR").hex()[-32:]
    '0000042c4000000c00000000000003d2'
    """
    number = CURRENCY_NUMBERS.get(currency)
    if number is None:
        return b""
    digits, exponent = digits_and_exponent(amount)
    return write_group(
        a.COST_INFORMATION,
        write_group(
            a.UNIT_VALUE,
            write(a.VALUE_DIGITS, digits.to_bytes(8, "big", signed=True)),
            write(a.EXPONENT, exponent.to_bytes(4, "big", signed=True)),
        ),
        write_unsigned(a.CURRENCY_CODE, number),
    )


def digits_and_exponent(amount: str) -> tuple[int, int]:
    """The least whole number, and the power of ten that it is multiplied by.

    >>> digits_and_exponent("0.450"), digits_and_exponent("12"), digits_and_exponent("0")
    ((45, -2), (12, 0), (0, 0))
    """
    value = Decimal(amount).normalize()
    sign, digits, exponent = value.as_tuple()
    if not value or not isinstance(exponent, int):
        return 0, 0
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    return (whole * 10**exponent, 0) if exponent > 0 else (whole, exponent)
