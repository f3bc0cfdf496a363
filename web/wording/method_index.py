"""The index of methods: what each is called, and the question that it helps to answer."""

from web.wording.language import gettext


def method_title(name: str) -> str:
    """What a method is called; its text is English, and so is its name."""
    return _TITLES.get(name) or name.replace("_", " ").capitalize()


def method_groups() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every method's name under one question, in the order in which an analysis asks them."""
    return (
        (gettext("Can the data be trusted?"), _TRUST),
        (gettext("What did one variant measure?"), _LEVELS),
        (gettext("Do two variants differ?"), _COMPARISONS),
        (gettext("Can it be seen more sharply?"), _SHARPER),
        (gettext("When may one look?"), _LOOKS),
        (gettext("What if there are several questions?"), _SEVERAL),
        (gettext("Is it worse, or the same?"), _LIMITS),
        (gettext("Does it differ between groups, or over time?"), _GROUPS),
        (gettext("How long until it happens?"), _TIMES),
        (gettext("How many units does it take?"), _PLANNING),
    )


_TRUST = (
    *("srm", "srm_sequential", "mix", "few_events", "skewed_allocation", "dominant_unit", "too_good"),
    *("identical_arms", "sudden_jump", "covariate_differs", "denominator_moved", "peeked"),
)
_LEVELS = ("mean", "proportion", "ratio", "quantile", "trimmed_mean", "winsorise")
_COMPARISONS = (
    *("welch", "fieller", "score", "newcombe", "miettinen_nurminen", "beta_binomial", "fisher", "barnard"),
    *("boschloo", "permutation", "rates", "mann_whitney", "hodges_lehmann", "quantile_regression"),
    *("clusters", "switchback", "difference_in_differences"),
)
_SHARPER = (
    *("cuped", "cuped_ratio", "cuped_linearised", "regression_adjustment", "post_stratification"),
    "mantel_haenszel",
)
_LOOKS = (
    *("fixed", "sequential", "always_valid", "group_sequential", "bayesian", "final_inference"),
    *("anytime_regression", "bernoulli_sequence", "betting_sequence"),
)
_SEVERAL = ("holm", "benjamini_hochberg", "dunnett")
_LIMITS = ("noninferiority", "equivalence")
_GROUPS = ("interaction", "heterogeneity", "drawn_together", "effect_drift")
_TIMES = ("survival", "restricted_mean", "log_rank")
_PLANNING = ("power", "replay")

_TITLES = {
    "srm": "Sample ratio mismatch (SRM)",
    "srm_sequential": "SRM, sequential",
    "fisher": "Fisher's exact test",
    "barnard": "Barnard's test",
    "boschloo": "Boschloo's test",
    "welch": "Welch's test",
    "fieller": "Fieller's theorem",
    "dunnett": "Dunnett's test",
    "beta_binomial": "Beta-binomial",
    "miettinen_nurminen": "Miettinen–Nurminen",
    "mann_whitney": "Mann–Whitney",
    "hodges_lehmann": "Hodges–Lehmann",
    "mantel_haenszel": "Mantel–Haenszel",
    "benjamini_hochberg": "Benjamini–Hochberg",
    "cuped": "CUPED",
    "cuped_ratio": "CUPED for ratios",
    "cuped_linearised": "CUPED for ratios, linearised",
    "post_stratification": "Post-stratification",
    "fixed": "Fixed horizon",
    "noninferiority": "Non-inferiority",
    "log_rank": "Log-rank test",
}
