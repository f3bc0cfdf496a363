import pytest
from flask import Flask
from flask_babel import force_locale

from analysis import Finding, Reading, Role
from web.wording.adjusting import adjustment_sentence, method_sentence


@pytest.mark.parametrize(
    ("reduction", "english", "chinese"),
    [
        (0.36, "36% less variance, as if 56% more units had come.", "方差减少 36%，相当于多了 56% 的用户。"),
        (0.000434, "0.04% less variance, which is practically nothing", "方差仅减少 0.04%，几乎可以忽略"),
        (0.00001, "less than 0.01% less variance, which", "方差仅减少 0.01% 以内，几乎"),
        (-0.0001, "No variance went away", "方差没有减少"),
    ],
)
def test_what_an_adjustment_gained_is_told_as_it_is(
    gallery: Flask, reduction: float, english: str, chinese: str
) -> None:
    with gallery.test_request_context(), force_locale("en"):
        assert adjustment_sentence(reduction).startswith(english)
    with gallery.test_request_context(), force_locale("zh_Hans_CN"):
        assert adjustment_sentence(reduction).startswith(chinese)


def finding(reduction: float | None) -> Finding:
    return Finding("spend", Role.PRIMARY, "new", "old", Reading.BETTER, 9, 9, variance_reduction=reduction)


def test_the_methods_promise_nothing_of_an_adjustment_that_gained_nothing(gallery: Flask) -> None:
    with gallery.test_request_context(), force_locale("en"):
        assert method_sentence([finding(None)]) == ""
        assert "practically no variance" in method_sentence([finding(0.0004), finding(None)])
        assert "practically" not in method_sentence([finding(0.0004), finding(0.2)])
