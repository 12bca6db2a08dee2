"""Formulas in LaTeX, as chat models write them."""

import pytest

from realtime.text_normalization.normalizer import spoken_text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"The area is $\pi r^2$.", "The area is pi r squared."),
        (r"Here $\frac{1}{2} \times x^{10}$ is", "Here (one half) times x to the power of ten is"),
        (r"By \(a^2 + b^2 = c^2\) we know", "By a squared plus b squared equals c squared we know"),
        (
            r"\[ x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a} \]",
            "x equals (minus b plus or minus the square root of (b squared minus four a c)) divided by two a",
        ),
        ("Let $x$ be $n$ at $90^\\circ$", "Let x be n at ninety degrees"),
        (r"$\sin \theta + \cos(2x)$", "sine of theta plus cosine of two x"),
        (r"$\sum_{i=1}^{n} x_i$", "the sum from i equals one to n of x i"),
        (r"$\int_0^1 x\,dx$", "the integral from zero to one of x d x"),
        (r"$\lim_{x \to 0} f(x)$", "the limit as x goes to zero of f of x"),
        (r"$$\text{area} = 5\%$$", "area equals five percent"),
        (r"$\sqrt[3]{27} \leq 3 \times 10^{-6}$",
         "the cube root of twenty-seven is at most three times ten to the power of minus six"),
    ],
)  # fmt: skip
def test_a_formula_is_read_without_its_commands(written: str, said: str) -> None:
    assert spoken_text(written).text == said


def test_dollars_around_no_formula_are_amounts_of_money() -> None:
    said = "It costs five dollars and ten dollars, or three dollars equals four euros."
    assert spoken_text("It costs $5 and $10, or $3 = €4.").text == said


def test_formulas_are_read_in_other_languages() -> None:
    assert (
        spoken_text(r"Also $a^2 + b^2 = c^2$", ("de",)).text.strip() == "Also a Quadrat plus b Quadrat gleich c Quadrat"
    )
