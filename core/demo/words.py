"""The words and figures of which sample subscribers are made, utility by utility."""

from __future__ import annotations

from typing import Final, NamedTuple

FIRST_NAMES: Final = (
    "علی", "محمد", "حسین", "رضا", "مهدی", "حسن", "احمد", "امیر", "سعید", "مجید", "محسن",
    "عباس", "اکبر", "اصغر", "حمید", "جواد", "کاظم", "منصور", "فاطمه", "زهرا", "مریم",
    "معصومه", "سکینه", "زینب", "رقیه", "طاهره", "اعظم", "لیلا", "نرگس", "سمیه", "مینا",
    "پروین", "شهین", "ناهید", "الهام", "بتول",
)  # fmt: skip

FAMILY_NAMES: Final = (
    "محمدی", "حسینی", "رضایی", "احمدی", "کریمی", "موسوی", "جعفری", "صادقی", "کرمانی",
    "رفسنجانی", "ماهانی", "سیرجانی", "زرندی", "بردسیری", "افضلی", "ابراهیمی", "امیری",
    "عسکری", "ایرانمنش", "شمس‌الدینی", "نخعی", "سلطانی", "پورمحمدی", "یزدان‌پناه", "اسدی",
    "زنگی‌آبادی", "کوهبنانی", "باقری", "رستمی", "حیدری", "نجفی", "شجاعی", "میرزایی",
    "مهدوی", "خراسانی", "صمدی",
)  # fmt: skip

CITIES: Final = (
    "کرمان", "کرمان", "کرمان", "کرمان", "رفسنجان", "سیرجان", "بم", "جیرفت", "زرند",
    "بردسیر", "شهربابک", "بافت", "کهنوج", "راور", "ماهان", "کوهبنان", "انار", "راین",
)  # fmt: skip
"""Towns of the province; Kerman itself several times, since most people live there."""

STREETS: Final = (
    "بلوار جمهوری اسلامی", "خیابان شریعتی", "خیابان امام خمینی", "بلوار ۲۲ بهمن",
    "خیابان فردوسی", "خیابان استقلال", "بلوار شهید صدوقی", "خیابان خواجو",
    "بلوار جهاد", "خیابان شهید رجایی", "خیابان گلستان", "بلوار آزادگان",
)  # fmt: skip

USAGES: Final = (*["خانگی"] * 9, "تجاری", "اداری", "صنعتی", "آموزشی", "فضای سبز")
"""Homes first, and most of all."""


class SampleUtility(NamedTuple):
    """An imaginary company like one of those in the seeds.

    ``company`` is the company code of its bill IDs. Those of Kerman and Qom are in the valid
    examples of DOMAIN 4; the others are made up, each its own.
    """

    company: str
    service: str
    """Of its bill IDs: 1 water, 2 electricity, 3 gas (DOMAIN 4)."""
    first: int
    """The number of its first subscription, as a figure …"""
    step: int = 1
    """… and how far apart they are."""
    towns: tuple[str, ...] = CITIES
    usages: tuple[str, ...] = USAGES
    fixed: int = 85_000
    """Rial of each bill …"""
    rate: int = 13_750
    """… and of each unit of the meter."""
    usual: int = 12
    """Units that the most sparing use in two months …"""
    spread: int = 28
    """… and how many more others do."""
    instalments: bool = False
    """Whether some pay their connection fees in instalments."""

    def number(self, place: int) -> int:
        """The number of the subscription at a place, from 1."""
        return self.first + (place - 1) * self.step

    def place(self, number: int) -> int:
        """The place of the subscription with this number."""
        return (number - self.first) // self.step + 1

    def file(self, place: int) -> str:
        """The file number in its bill IDs, up to eight digits."""
        # Gas numbers are area, file and branch: 3 + 7 + 2 digits (DOMAIN 3).
        return str(self.number(place))[3:10] if self.step != 1 else str(self.number(place))


_POWER_USAGES: Final = (*["خانگی"] * 9, "تجاری", "اداری", "صنعتی", "کشاورزی", "عمومی")
_WELLS: Final = (*["کشاورزی"] * 6, "صنعتی", "خدمات", "دامداری", "شرب")

UTILITIES: Final = {
    "kerman-water": SampleUtility("046", "1", 10_000_001, instalments=True),
    "lorestan-water": SampleUtility(
        "061", "1", 20_000_001,
        towns=(
            "خرم‌آباد", "خرم‌آباد", "خرم‌آباد", "بروجرد", "بروجرد", "دورود", "کوهدشت", "الیگودرز",
            "نورآباد", "ازنا", "الشتر", "پلدختر",
        ),
        instalments=True,
    ),
    "qazvin-gas": SampleUtility(
        "027", "3", 101_1000001_01, step=100,
        towns=("قزوین", "قزوین", "قزوین", "تاکستان", "آبیک", "بوئین‌زهرا", "الوند", "محمدیه"),
        usages=(*["خانگی"] * 9, "تجاری", "اداری", "صنعتی", "آموزشی"),
        rate=3_400, usual=90, spread=240,
    ),
    "qom-power": SampleUtility(
        "041", "2", 40_000_001,
        towns=("قم", "قم", "قم", "قم", "جعفریه", "کهک", "سلفچگان", "دستجرد", "قنوات"),
        usages=_POWER_USAGES, rate=2_100, usual=220, spread=420,
    ),
    "kohgiluyeh-water": SampleUtility(
        "071", "1", 50_000_001,
        towns=("یاسوج", "یاسوج", "یاسوج", "دهدشت", "دوگنبدان", "سی‌سخت", "لیکک", "چرام", "لنده"),
        usages=_WELLS, rate=5_200, usual=150, spread=600,
    ),
}  # fmt: skip
"""Those that there is sample data for, by their key in the database."""
