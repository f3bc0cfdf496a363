"""The translations are complete, fresh and compiled."""

import re
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

WEB = Path(__file__).parents[2] / "web"
FOLDER = WEB / "translations" / "zh_Hans_CN" / "LC_MESSAGES"


def extracted() -> set[str | tuple[str, ...]]:
    with (WEB / "translations" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel leaves it untyped
    return {message for _, _, message, _, _ in extract_from_dir(str(WEB), methods, options)}


def stored() -> Catalog:
    return read_po(BytesIO((FOLDER / "messages.po").read_bytes()))


def keys(catalog: Catalog) -> dict[str | tuple[str, ...], str | tuple[str, ...]]:
    return {
        tuple(each.id) if isinstance(each.id, (list, tuple)) else each.id: each.string  # type: ignore[misc]  # Babel's catalogues give either
        for each in catalog
        if each.id
    }


def test_every_message_is_translated_and_none_is_stale() -> None:
    translated = keys(stored())
    assert extracted() == set(translated)
    assert not [key for key, text in translated.items() if not text or text == ("",)]
    assert not [each.id for each in stored() if each.id and each.fuzzy]
    assert not stored().obsolete


def test_the_compiled_file_says_what_the_source_says() -> None:
    compiled = keys(read_mo(BytesIO((FOLDER / "messages.mo").read_bytes())))

    def flat(texts: dict[str | tuple[str, ...], str | tuple[str, ...]]) -> dict[str, str]:
        return {
            key if isinstance(key, str) else key[0]: text if isinstance(text, str) else text[0]
            for key, text in texts.items()
        }

    assert flat(compiled) == flat(keys(stored()))


def test_no_message_holds_a_literal_per_cent_sign() -> None:
    for pair in keys(stored()).items():
        for each in (text for side in pair for text in ((side,) if isinstance(side, str) else side)):
            assert "%" not in re.sub(r"%\(\w+\)s", "", each), each


def test_translations_use_the_same_values() -> None:
    for key, text in keys(stored()).items():
        source = key if isinstance(key, str) else key[-1]
        found = text if isinstance(text, str) else text[0]
        assert set(re.findall(r"%\(\w+\)s", source)) == set(re.findall(r"%\(\w+\)s", found)), source
