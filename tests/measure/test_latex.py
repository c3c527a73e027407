import pytest

from explorer.measure.formulas.formula import grouped, log2_of, plain, ratio_text, text


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"r = \frac{n b}{n \, \log_2 \, k + k b}", "r = (n b) / (n log2 k + k b)"),
        (r"= \frac{\text{266,200}}{5} = \text{6.4×}", "= 266,200 / 5 = 6.4×"),
        (r"\frac{\frac{1}{2}}{3}", "(1 / 2) / 3"),
        (r"w_{\max} - w_{\min}", "w max - w min"),
        (r"2 \cdot 3 + \cdots", "2 × 3 + …"),
        (r"2^{8} - 1", "2^8 - 1"),
        ("", ""),
    ],
)
def test_latex_is_read_as_plain_text(latex, words):
    assert plain(latex) == words


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\sqrt{2}", r"\\sqrt in .* is not known: use one of \\frac"),
        (r"\frac{1}2", "a group in braces was expected"),
        (r"\text{6", "a brace is left open"),
        ("1}", "a brace is closed that was never opened"),
    ],
)
def test_latex_that_cannot_be_read_is_refused(latex, message):
    with pytest.raises(ValueError, match=message):
        plain(latex)


def test_numbers_in_latex():
    assert (grouped(999), grouped(1000)) == ("999", r"\text{1,000}")
    assert log2_of(4096) == r"\log_2 \, \text{4,096}"
    assert text("a b") == r"\text{a b}"


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(0.0476, "0.0476×"), (1.0, "1.0×"), (12.34, "12.3×"), (99.96, "100×"), (float("inf"), "∞")],
)
def test_ratios_have_about_three_digits(ratio, words):
    assert ratio_text(ratio) == words
