"""The merchants that the fintech acquires card payments for, and what it charges them.

Names are invented. The surprising rule: the registry is code, so a merchant that it does not list is a data error.
"""

from dataclasses import dataclass
from functools import cache

import polars as pl

FIXED_FEE_CENTS = 10
"""EUR cents charged for each sale, beside the category's percentage."""
CHARGEBACK_FEE_CENTS = 1_500
"""EUR cents charged for each chargeback."""
FEE_BASIS_POINTS = {
    "grocery": 90,
    "pharmacy": 110,
    "restaurant": 130,
    "electronics": 140,
    "fashion": 160,
    "travel": 190,
    "digital": 220,
    "gaming": 240,
}
HOME_CURRENCY = {
    **dict.fromkeys(("AT", "BE", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IE", "IT", "LT", "NL", "PT", "SI"), "EUR"),
    "AU": "AUD",
    "BG": "BGN",
    "CA": "CAD",
    "CH": "CHF",
    "CZ": "CZK",
    "DK": "DKK",
    "GB": "GBP",
    "HU": "HUF",
    "IS": "ISK",
    "JP": "JPY",
    "NO": "NOK",
    "PL": "PLN",
    "RO": "RON",
    "SE": "SEK",
    "TR": "TRY",
    "US": "USD",
}
"""ISO country to ISO currency, as of 2025: Croatia has the euro since 2023, Bulgaria not before 2026."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """One merchant; `ticket_eur` is a typical sale, `weight` its share of all sales, disputes are per 10,000 sales."""

    merchant_id: str
    name: str
    country: str
    category: str
    ticket_eur: int
    weight: int
    disputes_per_10k: int

    @property
    def currency(self) -> str:
        return HOME_CURRENCY[self.country]


_ROWS = (
    ("Alpenglow Outdoor", "AT", "fashion", 74, 22, 30),
    ("Kaffeehaus Lindner", "AT", "restaurant", 19, 30, 6),
    ("Meuse Frites", "BE", "restaurant", 16, 26, 7),
    ("Spreewald Bio", "DE", "grocery", 41, 70, 5),
    ("Elbe Elektronik", "DE", "electronics", 189, 34, 55),
    ("Rheinwerk Games", "DE", "gaming", 27, 36, 150),
    ("Havel Apotheke", "DE", "pharmacy", 28, 38, 4),
    ("Tallinn Pixel", "EE", "digital", 12, 18, 70),
    ("Mercado Sol", "ES", "grocery", 33, 48, 6),
    ("Costa Viajes", "ES", "travel", 312, 16, 105),
    ("Saimaa Design", "FI", "fashion", 88, 15, 22),
    ("Librairie du Canal", "FR", "fashion", 24, 30, 8),
    ("Boulangerie Mistral", "FR", "grocery", 11, 62, 3),
    ("Voyages Belfort", "FR", "travel", 270, 15, 95),
    ("Aegean Ferries Desk", "GR", "travel", 96, 18, 60),
    ("Adriatic Marina Shop", "HR", "travel", 58, 17, 40),
    ("Liffey Streams", "IE", "digital", 14, 40, 85),
    ("Bottega Ferrante", "IT", "fashion", 132, 26, 26),
    ("Trattoria Navona", "IT", "restaurant", 38, 34, 9),
    ("Vilnius Hardware", "LT", "electronics", 64, 14, 24),
    ("Fietsen van Dam", "NL", "electronics", 145, 24, 20),
    ("Polder Markt", "NL", "grocery", 36, 50, 4),
    ("Azulejo Casa", "PT", "fashion", 47, 18, 16),
    ("Bled Lake Rooms", "SI", "travel", 121, 12, 50),
    ("Thames Tea Co", "GB", "grocery", 29, 46, 5),
    ("Camden Vinyl", "GB", "electronics", 43, 28, 32),
    ("Pennine Rail Cafe", "GB", "restaurant", 13, 40, 6),
    ("Gletscher Sport", "CH", "fashion", 156, 20, 15),
    ("Limmat Uhren", "CH", "fashion", 640, 6, 45),
    ("Norrland Ull", "SE", "fashion", 69, 20, 14),
    ("Fjordline Tickets", "NO", "travel", 148, 16, 48),
    ("Nyhavn Kaffe", "DK", "restaurant", 17, 28, 5),
    ("Wawel Ksiegarnia", "PL", "fashion", 21, 34, 9),
    ("Sklep Baltyk", "PL", "grocery", 26, 44, 5),
    ("Vltava Audio", "CZ", "electronics", 92, 22, 36),
    ("Balaton Gyogyszer", "HU", "pharmacy", 22, 20, 6),
    ("Carpathia Telecom", "RO", "digital", 18, 24, 44),
    ("Rila Roses", "BG", "fashion", 35, 16, 12),
    ("Bosphorus Bazaar", "TR", "fashion", 52, 26, 88),
    ("Reykjavik Geothermal Spa", "IS", "travel", 84, 10, 20),
    ("Hudson Deli Supply", "US", "grocery", 48, 30, 28),
    ("Maple Byte", "CA", "digital", 23, 18, 64),
    ("Kanda Hobby", "JP", "gaming", 39, 20, 34),
    ("Coral Surf", "AU", "fashion", 77, 14, 27),
)

MERCHANTS: tuple[Merchant, ...] = tuple(Merchant(f"M{number:03d}", *row) for number, row in enumerate(_ROWS, start=101))


@cache
def merchants() -> pl.DataFrame:
    """The registry: merchant_id, name, country, currency, category, fee_basis_points; one row a merchant, by id."""
    return pl.DataFrame(
        {
            "merchant_id": [each.merchant_id for each in MERCHANTS],
            "name": [each.name for each in MERCHANTS],
            "country": [each.country for each in MERCHANTS],
            "currency": [each.currency for each in MERCHANTS],
            "category": [each.category for each in MERCHANTS],
            "fee_basis_points": [FEE_BASIS_POINTS[each.category] for each in MERCHANTS],
        }
    )
