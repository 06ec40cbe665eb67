"""What tax ids look like, so that a slip is found before Stripe is asked."""

import re

from apps.billing.models import BillingDetails

Type = BillingDetails.TaxIdType

# After the two letters of the state; Greece is EL and Northern Ireland XI, as in VIES.
_EU_VAT = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
}
# type: its shape, and an example for whoever has it wrong.
_OTHERS = {
    Type.GB_VAT: (r"GB(\d{9}|\d{12}|(GD|HA)\d{3})", "GB123456789"),
    Type.CH_VAT: (r"CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)", "CHE-123.456.789 MWST"),
    Type.NO_VAT: (r"\d{9}MVA", "123456789MVA"),
    Type.IS_VAT: (r"\d{5,6}", "123456"),
    Type.US_EIN: (r"\d{2}-\d{7}", "12-3456789"),
    Type.CA_BN: (r"\d{9}", "123456789"),
    Type.CA_GST_HST: (r"\d{9}RT\d{4}", "123456789RT0002"),
    Type.AU_ABN: (r"\d{11}", "12345678912"),
    Type.NZ_GST: (r"\d{8,9}", "123456789"),
    Type.IN_GST: (r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]", "12ABCDE3456F1Z5"),
    Type.JP_TRN: (r"T\d{13}", "T1234567891234"),
    Type.SG_GST: (r"(M\d{8}[A-Z]|\d{8,9}[A-Z])", "M12345678X"),
    Type.AE_TRN: (r"\d{15}", "123456789012345"),
    Type.ZA_VAT: (r"\d{10}", "4123456789"),
    Type.BR_CNPJ: (r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}", "01.234.456/5432-10"),
}


def tidied(kind: str, value: str) -> str:
    """Return a tax id as it is kept: in capitals, an EU VAT number without what separates."""
    value = " ".join(value.upper().split())
    return re.sub(r"[ .-]", "", value) if kind == Type.EU_VAT else value


def fault_of(kind: str, value: str) -> str:
    """Return what is wrong with a tidied tax id, in words; empty if its shape is right."""
    if kind != Type.EU_VAT:
        shape, example = _OTHERS[Type(kind)]
        return "" if re.fullmatch(shape, value) else f"Write it like {example}."
    shape = _EU_VAT.get(value[:2], "")
    if not shape:
        return "Begin with the two letters of the member state, as in DE123456789."
    is_right = re.fullmatch(shape, value[2:])
    return "" if is_right else f"This is no VAT number of {value[:2]}. Look for a missing digit."
