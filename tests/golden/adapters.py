"""How each golden method is called: a thin way from a case's fields to `analysis`, nothing computed on it.

One file, so that it can be loaded by its path alone and run on other inputs. Every adapter takes (inputs,
params) and returns the fields of ``expected``. Where the sources of a file disagree, the adapter says which
convention is ours.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

import numpy as np

from analysis import (
    Estimate,
    FixedHorizon,
    Moments,
    NotEstimable,
    adjust,
    always_valid,
    betting,
    capping,
    clusters,
    effects,
    estimate,
    exact,
    many_to_one,
    margins,
    permutation,
    pooling,
    quantile_regression,
    quantiles,
    ranks,
    rates,
    regression,
    sample_ratio,
    shares,
    survival,
    switchback,
)
from analysis.adjust import Slope
from analysis.always_valid import best_precision
from analysis.bayes import normal_posterior
from analysis.beta_binomial import Beta, compare_betas
from analysis.boundaries import classical_boundaries, group_sequential_cost, spending_boundaries
from analysis.capping import winsorise
from analysis.clusters import ClusterErrors
from analysis.exact import fisher_test, odds_ratio
from analysis.inference import t_tail
from analysis.lift import LiftMethod, Relative, lift_interval, log_ratio_df, log_ratio_error, ratio_df
from analysis.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    hochberg,
    holm,
    hommel,
    two_stage,
)
from analysis.normal_mixture import (
    approximate_rho_squared,
    best_rho_squared,
    mixture_boundary,
    two_sided_p,
    two_sided_width,
)
from analysis.proportions import (
    agresti_caffo,
    corrected_test,
    log_ratio,
    newcombe,
    pooled_test,
    unpooled_test,
    wald,
)
from analysis.quantiles import maritz_jarrett, outer_interval, sample_quantile
from analysis.regression import Errors
from analysis.sample_ratio import SRM_LEVEL
from analysis.score import Counts, difference_interval, ratio_interval, score_noninferiority
from analysis.sizing import (
    Sizes,
    arcsine_size,
    cohen_h,
    mean_effect,
    mean_power,
    mean_size,
    noninferior_size,
    pooled_size,
)
from analysis.spending import Family, Spending
from analysis.stagewise import final_inference, repeated_interval, repeated_p

T = TypeVar("T")
P = ParamSpec("P")
Fields = dict[str, Any]
Adapter = Callable[[Fields, Fields], Fields]
ADAPTERS: dict[str, Adapter] = {}


class Unanswered(Exception):
    """The data do not allow an answer; the adapter then returns no field."""


def sure(method: Callable[P, T | NotEstimable]) -> Callable[P, T]:
    """The method as adapters call it: with an answer, or not at all."""

    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = method(*args, **kwargs)
        if isinstance(answer, NotEstimable):
            raise Unanswered(answer.cause)
        return answer

    return asked


def adapts(*methods: str) -> Callable[[Adapter], Adapter]:
    def register(adapter: Adapter) -> Adapter:
        def answered(inputs: Fields, params: Fields) -> Fields:
            try:
                return adapter(inputs, params)
            except Unanswered:
                return {}

        ADAPTERS.update(dict.fromkeys(methods, answered))
        return adapter

    return register


cuped = sure(adjust.cuped)
cuped_ratio = sure(adjust.cuped_ratio)
fitted_slopes = sure(adjust.fitted_slopes)
ratio_slope = sure(adjust.ratio_slope)
anytime_coefficient = sure(always_valid.anytime_coefficient)
anytime_coefficient_by_scale = sure(always_valid.anytime_coefficient_by_scale)
bernoulli_interval = sure(always_valid.bernoulli_interval)
mean_interval = sure(always_valid.mean_interval)
mixture_test = sure(always_valid.mixture_test)
empirical_bernstein_interval = sure(betting.empirical_bernstein_interval)
hedged_interval = sure(betting.hedged_interval)
hoeffding_interval = sure(betting.hoeffding_interval)
find_caps = sure(capping.find_caps)
trimmed_mean = sure(capping.trimmed_mean)
difference_in_differences = sure(clusters.difference_in_differences)
effect_by_clusters = sure(clusters.effect_by_clusters)
assess = sure(effects.assess)
difference = sure(effects.difference)
student_difference = sure(effects.student_difference)
barnard_test = sure(exact.barnard_test)
boschloo_test = sure(exact.boschloo_test)
conditional_odds_ratio = sure(exact.conditional_odds_ratio)
dunnett = sure(many_to_one.dunnett)
equivalence = sure(margins.equivalence)
noninferiority = sure(margins.noninferiority)
exact_test = sure(permutation.exact_test)
combine_estimates = sure(pooling.combine_estimates)
mantel_haenszel = sure(pooling.mantel_haenszel)
quantile_effect = sure(quantile_regression.quantile_effect)
fraction_below = sure(quantiles.fraction_below)
order_interval = sure(quantiles.order_interval)
quantile = sure(quantiles.quantile)
hodges_lehmann = sure(ranks.hodges_lehmann)
mann_whitney = sure(ranks.mann_whitney)
compare_rates = sure(rates.compare_rates)
adjusted_fit = sure(regression.adjusted_fit)
interaction = sure(regression.interaction)
srm = sure(sample_ratio.srm)
srm_exact = sure(sample_ratio.srm_exact)
srm_sequential = sure(sample_ratio.srm_sequential)
binomial_test = sure(shares.binomial_test)
share = sure(shares.share)
log_rank = sure(survival.log_rank)
survival_curve = sure(survival.survival_curve)
switchback_effect = sure(switchback.switchback_effect)
mean = sure(estimate.mean)
ratio = sure(estimate.ratio)
linearised = sure(estimate.linearised)


def fixed(params: Fields) -> FixedHorizon:
    return FixedHorizon(1 - params["alpha"])


def moments_of(arm: Fields) -> Moments:
    if "y" in arm:
        return Moments.from_values(arm["y"])
    return Moments.from_summary(n=arm["n"], mean=arm["mean"], var=arm["var"])


def ends(interval: Any) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def means(inputs: Fields) -> tuple[Estimate, Estimate]:
    return mean(moments_of(inputs["treatment"])), mean(moments_of(inputs["control"]))


def effect_fields(effect: Estimate, params: Fields) -> Fields:
    answer = assess(effect, fixed(params))
    return {
        "diff": effect.value,
        "se": effect.standard_error,
        "df": effect.df,
        "statistic": answer.statistic,
        "z": answer.statistic,
        "p_two_sided": answer.p_value,
        "ci": ends(answer.interval),
        "p_greater": answer.p_greater,
        "p_less": answer.p_less,
        "ci_lower_bound_greater": answer.low,
        "ci_upper_bound_less": answer.high,
    }


@adapts("mean_welch_t", "mean_welch_t_stats")
def welch(inputs: Fields, params: Fields) -> Fields:
    return effect_fields(difference(*means(inputs)), params)


@adapts("mean_z")
def mean_z(inputs: Fields, params: Fields) -> Fields:
    return effect_fields(difference(*means(inputs)).asymptotic, params)


@adapts("mean_student_t")
def student(inputs: Fields, params: Fields) -> Fields:
    return effect_fields(
        student_difference(moments_of(inputs["treatment"]), moments_of(inputs["control"])), params
    )


@adapts("relative_lift")
def relative_lift(inputs: Fields, params: Fields) -> Fields:
    # gb_relative_* is another platform's: the delta standard error with the degrees of freedom of the
    # difference. Ours is Fieller; the golden one is drawn at the degrees of freedom of the ratio.
    new, old = means(inputs)
    effect, inference = difference(new, old), fixed(params)
    change = Relative.of(effect, old)

    def width(df: float) -> float:
        return inference.multiplier(df=df, n=effect.n)

    known = width(np.inf)
    by_delta = assess(replace(effect, value=change.lift, standard_error=change.standard_error), inference)
    return {
        "rel_diff": change.lift,
        "fieller_ci": ends(lift_interval(change, width(ratio_df(new, old)), LiftMethod.FIELLER)),
        "log_ratio_z_ci": ends(lift_interval(change, known, LiftMethod.LOG)),
        "se_log_ratio": log_ratio_error(change),
        "se_delta": change.standard_error,
        "delta_z_ci": ends(lift_interval(change, known, LiftMethod.DELTA)),
        "log_ratio_t_ci": ends(lift_interval(change, width(log_ratio_df(new, old)), LiftMethod.LOG)),
        "gb_relative_t_ci": ends(by_delta.interval),
        "gb_relative_p": by_delta.p_value,
    }


@adapts("ratio_delta")
def ratio_delta(inputs: Fields, params: Fields) -> Fields:
    new, old = (
        ratio(Moments.from_values(np.column_stack([inputs[a]["num"], inputs[a]["den"]])))
        for a in ("treatment", "control")
    )
    normal = effect_fields(difference(new, old).asymptotic, params)
    student_t = effect_fields(difference(new, old), params)
    change = Relative.of(difference(new, old), old)
    width = fixed(params).multiplier(df=np.inf, n=0)
    return {
        "ratio_control": old.value,
        "ratio_treatment": new.value,
        "var_ratio_control": old.standard_error**2,
        "var_ratio_treatment": new.standard_error**2,
        "diff": normal["diff"],
        "se_diff": normal["se"],
        "z": normal["z"],
        "p_two_sided": normal["p_two_sided"],
        "ci_z": normal["ci"],
        "rel_diff": change.lift,
        "se_rel_delta": change.standard_error,
        "rel_ci_delta_z": ends(lift_interval(change, width, LiftMethod.DELTA)),
        "rel_ci_log_z": ends(lift_interval(change, width, LiftMethod.LOG)),
        "p_two_sided_t": student_t["p_two_sided"],
        "ci_t": student_t["ci"],
    }


@adapts("ratio_linearized")
def ratio_linearised(inputs: Fields, params: Fields) -> Fields:
    new, old = (
        Moments.from_values(np.column_stack([inputs[a]["num"], inputs[a]["den"]]))
        for a in ("treatment", "control")
    )
    kappa = ratio(old).value
    pair = linearised(new, kappa), linearised(old, kappa)
    return {"kappa": kappa, **effect_fields(difference(*pair), params)}


@adapts("ratio_cuped")
def ratio_adjusted(inputs: Fields, params: Fields) -> Fields:
    # diff, z and the normal interval fit the slope on all units as one sample; se, gb_theta and the t
    # results average the arms' covariances. Ours (WITHIN) is like the latter, weighted by the arms' sizes.
    columns = ("num", "den", "num_pre", "den_pre")
    arms = {
        a: Moments.from_values(np.column_stack([inputs[a][c] for c in columns]))
        for a in ("treatment", "control")
    }
    joint, averaged = (cuped_ratio(arms, slope=slope) for slope in (Slope.JOINT, Slope.AVERAGED))
    normal = effect_fields(difference(joint["treatment"], joint["control"]).asymptotic, params)
    student_t = effect_fields(difference(averaged["treatment"], averaged["control"]), params)
    return {
        **normal,
        "se": student_t["se"],
        "ci_z": normal["ci"],
        "p_two_sided_t": student_t["p_two_sided"],
        "ci_t": student_t["ci"],
        "gb_theta": ratio_slope(arms, Slope.AVERAGED),
    }


@adapts("cuped_single")
def cuped_single(inputs: Fields, params: Fields) -> Fields:
    # cuped_* fits the slope on all units as one sample, ancova_* inside the arms; ours is the latter.
    # cuped_rel_se_delta is linearised at the ratio of the unadjusted means, ours at the adjusted lift.
    arms = {
        a: Moments.from_values(np.column_stack([inputs[a]["y"], *inputs[a]["x"]]))
        for a in ("treatment", "control")
    }
    adjusted = cuped(arms, slope=Slope.JOINT)
    effect = difference(adjusted["treatment"], adjusted["control"])
    fit = adjusted_fit(*_arms_with_covariates(inputs), interact=False)
    ancova = effect_fields(fit.coefficient(1), params)
    normal, student_t = effect_fields(effect.asymptotic, params), effect_fields(effect, params)
    change = Relative.of(effect, adjusted["control"])
    unadjusted = arms["treatment"].value / arms["control"].value
    together = arms["treatment"] + arms["control"]
    return {
        "ancova_diff": ancova["diff"],
        "ancova_se_classic": fit.coefficient(1, Errors.CLASSICAL).standard_error,
        "ancova_theta_within": float(fitted_slopes(arms)["control"][0]),
        "ancova_se_HC2": ancova["se"],
        "ancova_p_HC2": ancova["p_two_sided"],
        "ancova_ci_HC2": ancova["ci"],
        "corr_y_x_pooled": together.correlation(0, 1),
        "cuped_theta": float(fitted_slopes(arms, Slope.JOINT)["control"][0]),
        "cuped_diff": effect.value,
        "cuped_t": student_t["statistic"],
        "cuped_p": student_t["p_two_sided"],
        "cuped_ci": student_t["ci"],
        "cuped_p_z": normal["p_two_sided"],
        "cuped_ci_z": normal["ci"],
        "cuped_se": effect.standard_error,
        "cuped_rel_diff": change.lift,
        "cuped_rel_se_delta": change.error_at(unadjusted - 1),
    }


def _arms_with_covariates(inputs: Fields) -> tuple[Any, Any, Any, Any]:
    new, old = inputs["treatment"], inputs["control"]
    return new["y"], old["y"], np.column_stack(new["x"]), np.column_stack(old["x"])


@adapts("regression_adjustment_lin")
def lin(inputs: Fields, params: Fields) -> Fields:
    fit = adjusted_fit(*_arms_with_covariates(inputs))
    main = effect_fields(fit.coefficient(1), params)
    return {
        "diff": main["diff"],
        "df": fit.df,
        "p_HC2": main["p_two_sided"],
        "ci_HC2": main["ci"],
        "se_classical": fit.coefficient(1, Errors.CLASSICAL).standard_error,
        **{f"se_HC{i}": fit.coefficient(1, Errors(f"hc{i}")).standard_error for i in (0, 1, 2, 3)},
    }


@adapts("cluster_robust")
def cluster_robust(inputs: Fields, params: Fields) -> Fields:
    def by(errors: ClusterErrors) -> Any:
        return effect_by_clusters(inputs["y"], inputs["t"], inputs["cluster"], errors)

    cr2, stata = by(ClusterErrors.CR2), by(ClusterErrors.CR1)
    return {
        "diff": cr2.value,
        "se_CR2": cr2.standard_error,
        "df_CR2": cr2.df,
        "p_CR2": assess(cr2, fixed(params)).p_value,
        "ci_CR2": ends(assess(cr2, fixed(params)).interval),
        "se_CR1_stata": stata.standard_error,
        "df_stata": stata.df,
        "p_stata": assess(stata, fixed(params)).p_value,
        "ci_stata": ends(assess(stata, fixed(params)).interval),
        "se_CR0": by(ClusterErrors.CR0).standard_error,
    }


@adapts("difference_in_differences")
def panel(inputs: Fields, params: Fields) -> Fields:
    rows = (inputs["y"], inputs["treated"], inputs["post"], inputs["unit"])
    cr2, stata = difference_in_differences(*rows), difference_in_differences(*rows, ClusterErrors.CR1)
    return {
        "did": cr2.value,
        "se_CR1_stata": stata.standard_error,
        "p_stata": assess(stata, fixed(params)).p_value,
        "se_CR2": cr2.standard_error,
        "df_CR2": cr2.df,
    }


@adapts("interaction_test")
def interaction_test(inputs: Fields, params: Fields) -> Fields:
    fit = interaction(inputs["y"], inputs["t"], inputs["segment"])
    plain, robust = fit.coefficient(3, Errors.CLASSICAL), fit.coefficient(3)
    return {
        "interaction": plain.value,
        "se_classic": plain.standard_error,
        "p_classic": assess(plain, fixed(params)).p_value,
        "se_HC2": robust.standard_error,
        "p_HC2": assess(robust, fixed(params)).p_value,
    }


@adapts("mean_noninferiority")
def mean_noninferiority(inputs: Fields, params: Fields) -> Fields:
    effect = difference(*means(inputs))
    more = params.get("direction", "higher_is_better") == "higher_is_better"
    test = noninferiority(effect, params["margin"], fixed(params), more_is_better=more)
    return {
        "diff": effect.value,
        "statistic": test.statistic,
        "df": effect.df,
        "p_noninferiority": test.p_value,
        "ci_lower_bound": test.bound,
        "ci_upper_bound": test.bound,
        "noninferior": test.passed,
    }


@adapts("mean_tost")
def tost(inputs: Fields, params: Fields) -> Fields:
    test = equivalence(difference(*means(inputs)), params["low"], params["upp"], fixed(params))
    return {
        "p_lower": test.p_above,
        "p_upper": test.p_below,
        "p_tost": test.p_value,
        "ci_1_minus_2alpha": [test.low, test.high],
    }


@adapts("winsorized_mean")
def winsorised(inputs: Fields, params: Fields) -> Fields:
    new, old = inputs["treatment"]["y"], inputs["control"]["y"]
    caps = find_caps(old, new, lower=params["lower_quantile"], upper=params["upper_quantile"])
    pair = [mean(Moments.from_values(winsorise(each, caps))) for each in (new, old)]
    return {
        "cap_upper": caps.high,
        "cap_lower": caps.low,
        "mean_control": pair[1].value,
        "mean_treatment": pair[0].value,
        **effect_fields(difference(*pair), params),
    }


@adapts("mean_yuen_trimmed_t")
def yuen(inputs: Fields, params: Fields) -> Fields:
    new, old = (trimmed_mean(inputs[a]["y"], params["trim"]) for a in ("treatment", "control"))
    return {
        "trimmed_mean_control": old.value,
        "trimmed_mean_treatment": new.value,
        **effect_fields(difference(new, old), {"alpha": 0.05}),
    }


@adapts("mean_permutation_exact")
def mean_permutation(inputs: Fields, params: Fields) -> Fields:
    # Ours counts splits at least as far from the expectation on either side; doubling the smaller tail is the
    # other convention.
    test = exact_test(inputs["treatment"]["y"], inputs["control"]["y"])
    return {
        "p_two_sided": test.p_value,
        "p_two_sided_doubled": test.p_doubled,
        "p_greater": test.p_greater,
        "p_less": test.p_less,
    }


def counts_of(inputs: Fields) -> Counts:
    new, old = inputs["treatment"], inputs["control"]
    return Counts(new["x"], new["n"], old["x"], old["n"])


@adapts("prop_z")
def prop_z(inputs: Fields, params: Fields) -> Fields:
    counts = counts_of(inputs)
    p1, p0 = counts.shares
    fields: Fields = {"diff": p1 - p0, "ci_wald_unpooled": ends(wald(counts, 1 - params["alpha"]))}
    for name, test in {
        "pooled": pooled_test(counts),
        "yates": corrected_test(counts),
        "unpooled": unpooled_test(counts),
    }.items():
        z, p = (None, None) if isinstance(test, NotEstimable) else (test.statistic, test.p_value)
        fields |= {f"z_{name}": z, f"p_{name}_two_sided": p}
    return fields


@adapts("prop_diff_ci")
def prop_diff(inputs: Fields, params: Fields) -> Fields:
    # Miettinen-Nurminen and Mee from the restricted likelihood's cubic; one source solves another cubic.
    counts, confidence = counts_of(inputs), 1 - params["alpha"]
    return {
        "miettinen_nurminen": ends(difference_interval(counts, confidence)),
        "mee": ends(difference_interval(counts, confidence, bias_corrected=False)),
        "newcombe": ends(newcombe(counts, confidence)),
        "agresti_caffo": ends(agresti_caffo(counts, confidence)),
        "wald": ends(wald(counts, confidence)),
    }


@adapts("prop_ratio_ci")
def prop_ratio(inputs: Fields, params: Fields) -> Fields:
    counts, confidence = counts_of(inputs), 1 - params["alpha"]
    katz, adjusted = log_ratio(counts, confidence), log_ratio(counts, confidence, adjusted=True)
    score = ratio_interval(counts, confidence)
    return {
        "ratio": score.estimate,
        "katz_log": None if isinstance(katz, NotEstimable) else ends(katz),
        "miettinen_nurminen": ends(score),
        "koopman": ends(ratio_interval(counts, confidence, bias_corrected=False)),
        "log_adjusted": ends(adjusted),
    }


@adapts("prop_odds_ratio_ci")
def prop_odds(inputs: Fields, params: Fields) -> Fields:
    counts, confidence = counts_of(inputs), 1 - params["alpha"]
    sample, conditional = odds_ratio(counts, confidence), conditional_odds_ratio(counts, confidence)
    return {
        "conditional_mle": conditional.estimate,
        "exact_ci": ends(conditional),
        "odds_ratio": None if isinstance(sample, NotEstimable) else sample.estimate,
        "woolf_log": None if isinstance(sample, NotEstimable) else ends(sample),
    }


@adapts("prop_one_sample_ci")
def prop_one(inputs: Fields, params: Fields) -> Fields:
    methods = ("wilson", "wilson_cc", "clopper_pearson", "agresti_coull", "jeffreys")
    x, n = inputs["x"], inputs["n"]
    return {method: ends(share(x, n, 1 - params["alpha"], method=method)) for method in methods}


@adapts("prop_noninferiority")
def prop_noninferiority(inputs: Fields, params: Fields) -> Fields:
    counts, confidence = counts_of(inputs), 1 - params["alpha"]
    more = params.get("direction", "higher_is_better") == "higher_is_better"
    plain = score_noninferiority(
        counts, params["margin"], confidence, bias_corrected=False, more_is_better=more
    )
    corrected = score_noninferiority(counts, params["margin"], confidence, more_is_better=more)
    return {
        "p_farrington_manning": plain.p_value,
        "p_miettinen_nurminen": corrected.p_value,
        "mn_lower_bound": corrected.bound,
        "mn_upper_bound": corrected.bound,
        "z_farrington_manning": plain.statistic,
        "z_miettinen_nurminen": corrected.statistic,
    }


@adapts("prop_exact")
def prop_exact(inputs: Fields, params: Fields) -> Fields:
    counts = counts_of(inputs)
    fisher = fisher_test(counts)
    fields: Fields = {
        "p_fisher_two_sided": fisher.p_value,
        "p_fisher_greater": fisher.p_greater,
        "p_fisher_less": fisher.p_less,
        "p_midp": fisher.p_mid,
    }
    if counts.n <= 400:
        barnard, boschloo = barnard_test(counts), boschloo_test(counts)
        fields |= {"p_barnard": barnard, "p_barnard_two_sided": barnard}
        fields |= {"p_boschloo": boschloo, "p_boschloo_two_sided": boschloo}
    return fields


@adapts("poisson_rate")
def poisson_rate(inputs: Fields, params: Fields) -> Fields:
    new, old = inputs["treatment"], inputs["control"]
    answer = compare_rates(
        (new["count"], new["exposure"]), (old["count"], old["exposure"]), 1 - params["alpha"]
    )
    return {
        "rate_ratio": answer.ratio,
        "p_exact": answer.p_exact,
        "ci_exact": ends(answer.exact),
        "ci_log_wald": ends(answer.log_wald),
        "p_score": answer.p_score,
        "p_etest": answer.p_etest,
        "ci_score": ends(answer.score),
    }


@adapts("interleaving_sign_test")
def interleaving(inputs: Fields, params: Fields) -> Fields:
    wins, losses = inputs["wins_treatment"], inputs["wins_control"]
    rate = share(wins, wins + losses, 1 - params["alpha"], method="clopper_pearson")
    return {
        "win_rate": rate.estimate,
        "p_two_sided": binomial_test(wins, wins + losses),
        "ci_clopper_pearson": ends(rate),
    }


SPENDING = {
    "OBF": Family.OBRIEN_FLEMING,
    "Pocock": Family.POCOCK,
    "HSD": Family.HWANG_SHIH_DECANI,
    "power": Family.POWER,
}


def spending_of(params: Fields) -> Spending:
    return Spending(SPENDING[params["spending"]], float(params.get("gamma") or 1.0))


@adapts("gs_lan_demets")
def lan_demets(inputs: Fields, params: Fields) -> Fields:
    # Sources part beyond |z| = 5, where some cut their grids at 8; ours integrates to 1e-307.
    times, spending, alpha = inputs["information_fractions"], spending_of(params), params["alpha_one_sided"]
    bounds = spending_boundaries(times, alpha, spending, sides=params["sides"])
    return {
        "z_boundaries": list(bounds),
        "nominal_p_one_sided": [t_tail(np.inf, z) for z in bounds],
        "cumulative_alpha_one_sided": [spending.spent(t, alpha) for t in times],
    }


@adapts("gs_classical")
def classical(inputs: Fields, params: Fields) -> Fields:
    exponent = {"OBF": 0.5, "Pocock": 0.0}[params["family"]]
    bounds = classical_boundaries(
        inputs["K"], params["alpha_one_sided"], exponent=exponent, sides=params["sides"]
    )
    return {"z_boundaries": list(bounds), "constant": bounds[-1]}


@adapts("gs_inflation_power")
def inflation(inputs: Fields, params: Fields) -> Fields:
    design = group_sequential_cost(
        inputs["information_fractions"],
        spending_of(params),
        alpha=params["alpha_one_sided"],
        power=params["power"],
        sides=1,
    )
    return {
        "inflation_factor": design.inflation,
        "z_boundaries_one_sided": list(design.boundaries),
        "expected_info_ratio_H1": design.expected_with_effect,
        "expected_info_ratio_H0": design.expected_without_effect,
        "cumulative_power": list(design.cumulative_power),
    }


@adapts("gs_final_inference")
def gs_final(inputs: Fields, params: Fields) -> Fields:
    # One-sided design; the effect as drift, stage-wise ordering. Golden repeated p-values stop at one half.
    times, seen, alpha = inputs["information_fractions"], inputs["z"], params["alpha_one_sided"]
    spending = spending_of(params)
    bounds = spending_boundaries(times, alpha, spending, sides=1)
    k = len(seen)
    repeated = [repeated_p(times[: i + 1], seen[i], spending) for i in range(k)]
    crossed = seen[-1] >= bounds[k - 1]
    over = crossed or k == len(times)
    final = final_inference(times[:k], bounds[: k - 1], seen[-1], confidence=1 - 2 * alpha)
    return {
        "sequential_p_last_look": min(repeated),
        "z_boundaries": list(bounds),
        "stop_at_last_look": crossed,
        "repeated_ci_lower_drift": [
            repeated_interval(t, c, z)[0] for t, c, z in zip(times, bounds, seen, strict=False)
        ],
        "repeated_p": [min(0.5, each) for each in repeated],
        "final_p_stagewise": final.p_value if over else None,
        "final_ci_drift": [final.low, final.high] if over else None,
        "median_unbiased_drift": final.median if over else None,
    }


@adapts("bayes_beta_binomial")
def beta_binomial(inputs: Fields, params: Fields) -> Fields:
    answer = compare_betas(counts_of(inputs), Beta(params["prior_alpha"], params["prior_beta"]))
    return {
        "posterior_mean_control": answer.control.mean,
        "posterior_mean_treatment": answer.treatment.mean,
        "prob_treatment_better": answer.probability_better,
        "expected_loss_choose_treatment": answer.loss_of_treatment,
        "expected_loss_choose_control": answer.loss_of_control,
        "posterior_mean_diff": answer.difference,
        "posterior_sd_diff": answer.sd,
        "credible_treatment": list(answer.treatment.central(params["ci_mass"])),
        "credible_control": list(answer.control.central(params["ci_mass"])),
    }


def on_scale(inputs: Fields, params: Fields) -> Estimate:
    """The difference, or the lift with its delta standard error, as an estimate."""
    new, old = means(inputs)
    effect = difference(new, old)
    if params["difference"] == "absolute":
        return effect
    change = Relative.of(effect, old)
    return replace(effect, value=change.lift, standard_error=change.standard_error)


@adapts("bayes_normal")
def bayes_normal(inputs: Fields, params: Fields) -> Fields:
    effect = on_scale(inputs, params)
    sd = params["prior_var"] ** 0.5 if params["prior_proper"] else np.inf
    after = normal_posterior(
        effect, prior_mean=params["prior_mean"], prior_sd=sd, confidence=1 - params["alpha"]
    )
    return {
        "data_mean": effect.value,
        "data_se": effect.standard_error,
        "posterior_mean": after.mean,
        "posterior_sd": after.sd,
        "prob_treatment_better": after.probability_better,
        "expected_loss_choose_treatment": after.loss_of_treatment,
        "expected_loss_choose_control": after.loss_of_control,
        "credible": ends(after),
    }


@adapts("msprt_normal")
def msprt(inputs: Fields, params: Fields) -> Fields:
    path = mixture_test(
        inputs["treatment"]["y"],
        inputs["control"]["y"],
        sigma=params["sigma"],
        tau=params["tau"],
        null=params["theta0"],
    )
    return {"likelihood_ratio": path.likelihood_ratio.tolist(), "always_valid_p": path.p_value.tolist()}


@adapts("asymptotic_cs")
def asymptotic_cs(inputs: Fields, params: Fields) -> Fields:
    answer = mean_interval(moments_of(inputs), optimum=params["t_opt"], confidence=1 - params["alpha"])
    unit = mean_interval(
        Moments.from_summary(n=len(inputs["y"]), mean=0.0, var=1.0),
        optimum=params["t_opt"],
        confidence=1 - params["alpha"],
    )
    return {
        "rho2": best_rho_squared(params["t_opt"], params["alpha"]),
        "mean": answer.estimate,
        "margin_std": unit.high,
        "cs_n": ends(answer),
    }


@adapts("asymptotic_cs_two_sample")
def asymptotic_cs_two_sample(inputs: Fields, params: Fields) -> Fields:
    # The golden rho is the logarithmic approximation; AlwaysValid uses the exact optimum (Lambert).
    effect = on_scale(inputs, params)
    rho_squared = approximate_rho_squared(params["n_opt"], params["alpha"])
    weight = effect.n * rho_squared
    reach = two_sided_width(weight, params["alpha"]) * effect.standard_error
    return {
        "estimate": effect.value,
        "se": effect.standard_error,
        "rho": rho_squared**0.5,
        "cs": [effect.value - reach, effect.value + reach],
        "p_anytime": two_sided_p(effect.value / effect.standard_error, weight),
    }


@adapts("normal_mixture_boundary")
def normal_mixture(inputs: Fields, params: Fields) -> Fields:
    one, two = (
        mixture_boundary(
            inputs["v"],
            alpha=params["alpha"],
            optimum=params["v_opt"],
            tuned_for=params["alpha_opt"],
            sides=sides,
        )
        for sides in (1, 2)
    )
    return {"boundary_one_sided": one.tolist(), "boundary_two_sided": two.tolist()}


@adapts("bernoulli_cs")
def bernoulli_cs(inputs: Fields, params: Fields) -> Fields:
    answer = bernoulli_interval(
        inputs["x"], inputs["n"], optimum=params["t_opt"], confidence=1 - params["alpha"]
    )
    return {"cs": ends(answer)}


@adapts("anytime_valid_linear_model")
def anytime_model(inputs: Fields, params: Fields) -> Fields:
    # savvi_phi_* measures the prior against (sigma/SE)^2 and does not cap 1/E; ours is r = g/(g + n), p <= 1.
    fit = adjusted_fit(*_arms_with_covariates(inputs), interact=False)
    plain, robust = fit.coefficient(1, Errors.CLASSICAL), fit.coefficient(1)
    confidence, g = 1 - params["alpha"], params["g"]
    exact = anytime_coefficient(plain, rows=fit.n, precision=g, confidence=confidence)
    by_hc2 = anytime_coefficient(robust, rows=fit.n, precision=g, confidence=confidence)
    other = anytime_coefficient_by_scale(plain, sigma=fit.sigma, precision=g, confidence=confidence)
    return {
        "diff": plain.value,
        "t_stat": plain.value / plain.standard_error,
        "p_anytime": exact.p_value,
        "ci_anytime": ends(exact.interval),
        "p_anytime_HC2": by_hc2.p_value,
        "ci_anytime_HC2": ends(by_hc2.interval),
        "optimal_g_at_n": best_precision(fit.n, len(fit.coefficients), confidence),
        "savvi_phi_p": float(np.exp(-other.log_e)),
        "savvi_phi_ci": ends(other.interval),
    }


@adapts("multiple_testing")
def multiple_testing(inputs: Fields, params: Fields) -> Fields:
    p = inputs["pvalues"]
    staged = two_stage(p, params["alpha"])
    return {
        "bonferroni": bonferroni(p),
        "holm": holm(p),
        "hochberg": hochberg(p),
        "hommel": hommel(p),
        "BH": benjamini_hochberg(p),
        "BY": benjamini_yekutieli(p),
        "BKY_two_stage": staged.adjusted,
        "BKY_reject": staged.rejected,
    }


@adapts("dunnett")
def dunnett_test(inputs: Fields, params: Fields) -> Fields:
    # Both sources draw random numbers; ours is a quadrature.
    arms = [moments_of(each) for each in inputs["treatments"]]
    test = dunnett(arms, moments_of(inputs["control"]), 1 - params["alpha"])
    return {
        "diff": [each.difference.estimate for each in test.comparisons],
        "t": [each.statistic for each in test.comparisons],
        "p_adjusted": [each.p_value for each in test.comparisons],
        "critical_value": test.critical_value,
        "ci_lower": [each.difference.low for each in test.comparisons],
        "ci_upper": [each.difference.high for each in test.comparisons],
    }


@adapts("quantile_one_sample")
def quantile_one_sample(inputs: Fields, params: Fields) -> Fields:
    y, q = inputs["y"], params["q"]
    order = order_interval(y, q, 1 - params["alpha"])
    jarrett = maritz_jarrett(y, q)
    between = [order.low if order.low_rank else None, order.high if order.high_rank else None]
    return {
        **{f"quantile_type{kind}": sample_quantile(y, q, kind=kind) for kind in (1, 2, 6, 7, 8)},
        "order_stat_ci_1based": [order.low_rank, order.high_rank],
        "order_stat_ci": between,
        "order_stat_coverage": order.coverage,
        "scipy_quantile_test_ci": between,
        "se_maritz_jarrett": None if isinstance(jarrett, NotEstimable) else jarrett.standard_error,
    }


@adapts("quantile_diff_outer_ci")
def quantile_difference(inputs: Fields, params: Fields) -> Fields:
    # Woodruff's variance times (n - 1)/n, which the note lets one leave out. Student's t with Welch's df.
    q = params["q"]
    new, old = (quantile(inputs[a]["y"], q, fewest=0) for a in ("treatment", "control"))
    return {
        "quantile_control": old.value,
        "quantile_treatment": new.value,
        "lower_upper_control": list(outer_interval(inputs["control"]["y"], q)),
        "lower_upper_treatment": list(outer_interval(inputs["treatment"]["y"], q)),
        "var_control": old.standard_error**2,
        "var_treatment": new.standard_error**2,
        **effect_fields(difference(new, old), params),
    }


@adapts("quantile_clustered")
def quantile_clustered(inputs: Fields, params: Fields) -> Fields:
    q, fields = params["q"], {}
    found = {}
    for arm in ("control", "treatment"):
        y, users = np.asarray(inputs[arm]["y"]), np.asarray(inputs[arm]["cluster"])
        found[arm] = quantile(y, q, users, fewest=0)
        fields[f"quantile_{arm}"] = found[arm].value
        below = fraction_below(y, users, found[arm].value)
        fields[f"cluster_var_of_fraction_{arm}"] = below.standard_error**2
        fields[f"var_{arm}"] = found[arm].standard_error ** 2
    return {**fields, **effect_fields(difference(found["treatment"], found["control"]), params)}


@adapts("mann_whitney")
def rank_test(inputs: Fields, params: Fields) -> Fields:
    new, old = inputs["treatment"]["y"], inputs["control"]["y"]
    test, spread = mann_whitney(new, old), ranks.brunner_munzel(new, old)
    shift = hodges_lehmann(new, old, 1 - params["alpha"])
    return {
        "U": test.u,
        "prob_superiority": test.superiority,
        "p_asymptotic": test.p_value,
        "p_asymptotic_cc": test.p_corrected,
        "p_exact": test.p_untied,
        "p_exact_with_ties": test.p_exact,
        "hodges_lehmann": shift.estimate,
        "hl_ci_exact": ends(shift),
        "brunner_munzel_stat": None if isinstance(spread, NotEstimable) else spread.statistic,
        "brunner_munzel_p": None if isinstance(spread, NotEstimable) else spread.p_value,
    }


@adapts("srm_chi2")
def srm_chi2(inputs: Fields, params: Fields) -> Fields:
    names = [str(i) for i in range(len(inputs["counts"]))]
    check = srm(
        dict(zip(names, inputs["counts"], strict=True)), dict(zip(names, inputs["weights"], strict=True))
    )
    fields: Fields = {
        "chi2": check.statistic,
        "df": len(check.expected) - 1,
        "p": check.p_value,
        "srm": not check.passed if params["alpha"] == SRM_LEVEL else check.p_value < params["alpha"],
    }
    if len(names) == 2 and all(inputs["weights"]):
        fields["p_exact_binomial"] = srm_exact(tuple(inputs["counts"]), tuple(inputs["weights"]))
    return fields


@adapts("srm_sequential_multinomial")
def srm_multinomial(inputs: Fields, params: Fields) -> Fields:
    check = srm_sequential(
        inputs["count_batches"], inputs["weights"], concentration=params["dirichlet_concentration"]
    )
    return {
        "bayes_factor": np.exp(check.log_bayes_factors).tolist(),
        "sequential_p": list(check.p_values),
    }


def sides_of(params: Fields) -> int:
    return 2 if params.get("alternative", "two-sided") == "two-sided" else 1


@adapts("power_mean")
def power_mean(inputs: Fields, params: Fields) -> Fields:
    def size(known_variance: bool) -> Sizes:
        return mean_size(
            inputs["effect_size"],
            power=params["power"],
            alpha=params["alpha"],
            ratio=params["ratio"],
            sides=sides_of(params),
            known_variance=known_variance,
        )

    student_t, normal = size(known_variance=False), size(known_variance=True)
    return {
        "n_control": student_t.control,
        "n_treatment": student_t.treatment,
        "n_control_z": normal.control,
        "n_treatment_z": normal.treatment,
    }


@adapts("power_mean_given_n")
def power_given_n(inputs: Fields, params: Fields) -> Fields:
    n0, n1, alpha, sides = inputs["n1"], inputs["n2"], params["alpha"], sides_of(params)
    return {
        "power": mean_power(inputs["effect_size"], n0, n1, alpha=alpha, sides=sides),
        "mde_at_80": mean_effect(n0, n1, power=0.8, alpha=alpha, sides=sides),
    }


@adapts("power_noninferiority_mean")
def power_margin_mean(inputs: Fields, params: Fields) -> Fields:
    effect = (inputs["diff"] + params["margin"]) / inputs["sd"]
    plan = {"power": params["power"], "alpha": params["alpha"], "ratio": params["ratio"], "sides": 1}
    student_t, normal = mean_size(effect, **plan), mean_size(effect, known_variance=True, **plan)
    return {
        "n_treatment": student_t.treatment,
        "n_control": student_t.control,
        "n_treatment_z": normal.treatment,
        "n_control_z": normal.control,
    }


@adapts("power_noninferiority_proportion")
def power_margin_proportion(inputs: Fields, params: Fields) -> Fields:
    sizes = noninferior_size(
        inputs["p_control"],
        inputs["p_treatment"],
        margin=params["margin"],
        power=params["power"],
        alpha=params["alpha"],
        ratio=params["ratio"],
    )
    return {"n_treatment": sizes.treatment, "n_control": sizes.control}


@adapts("power_proportion")
def power_proportion(inputs: Fields, params: Fields) -> Fields:
    # Ours is the pooled-null convention, because it belongs to the pooled test; the arcsine is Cohen's.
    p0, p1 = inputs["p_control"], inputs["p_treatment"]
    levels = {"power": params["power"], "alpha": params["alpha"]}
    return {
        "n_per_arm_pooled": pooled_size(p0, p1, **levels),
        "cohen_h": cohen_h(p0, p1),
        "n_per_arm_arcsine": arcsine_size(p0, p1, **levels),
    }


@adapts("heterogeneity_cochran_q")
def heterogeneity(inputs: Fields, params: Fields) -> Fields:
    parts = [
        Estimate(value, error, 0, np.inf, "given")
        for value, error in zip(inputs["estimates"], inputs["se"], strict=True)
    ]
    answer = combine_estimates(parts)
    return {
        "Q": answer.q,
        "df": answer.df,
        "p_Q": answer.p_value,
        "fixed_estimate": answer.fixed.value,
        "fixed_se": answer.fixed.standard_error,
        "tau2_DL": answer.between,
        "random_estimate": answer.random.value,
        "random_se": answer.random.standard_error,
        "I2": 100 * answer.disagreement,
    }


@adapts("stratified_mantel_haenszel")
def stratified(inputs: Fields, params: Fields) -> Fields:
    answer = mantel_haenszel([counts_of(each) for each in inputs["strata"]], 1 - params["alpha"])
    return {
        "chi2_mh": answer.chi_square,
        "p": answer.p_value,
        "or_mh": answer.odds_ratio.estimate,
        "or_ci": ends(answer.odds_ratio),
        "rd_mh": answer.risk_difference.value,
        "rd_se": answer.risk_difference.standard_error,
        "rr_mh": float(np.exp(answer.log_risk_ratio.value)),
        "log_rr_se": answer.log_risk_ratio.standard_error,
    }


@adapts("switchback_hac")
def switchback_hac(inputs: Fields, params: Fields) -> Fields:
    plain, adjusted = (
        switchback_effect(inputs["y"], inputs["t"], lags=params["lags"], adjusted=each)
        for each in (False, True)
    )
    return {
        "diff": plain.value,
        "se_nw": plain.standard_error,
        "se_nw_adjusted": adjusted.standard_error,
    }


@adapts("survival_km_logrank_rmst")
def survival_curves(inputs: Fields, params: Fields) -> Fields:
    data = {arm: (inputs[arm]["time"], inputs[arm]["event"]) for arm in ("control", "treatment")}
    fields: Fields = {}
    for arm, rows in data.items():
        curve = survival_curve(*rows)
        points = [curve.at(time, 1 - params["alpha"]) for time in params["times"]]
        area = curve.restricted_mean(params["tau"])
        fields[f"surv_{arm}"] = [estimated.value for estimated, _ in points]
        fields[f"se_{arm}"] = [estimated.standard_error for estimated, _ in points]
        fields[f"ci_lower_{arm}"] = [interval.low for _, interval in points]
        fields[f"ci_upper_{arm}"] = [interval.high for _, interval in points]
        if not isinstance(area, NotEstimable):
            fields |= {f"rmst_{arm}": area.value, f"rmst_se_{arm}": area.standard_error}
    test = log_rank(data["treatment"], data["control"])
    hazard = survival.hazard_ratio(data["treatment"], data["control"])
    return {
        **fields,
        "logrank_chi2": test.chi_square,
        "logrank_p": test.p_value,
        "cox_log_hr": None if isinstance(hazard, NotEstimable) else hazard.value,
        "cox_se": None if isinstance(hazard, NotEstimable) else hazard.standard_error,
    }


@adapts("betting_cs_bounded_mean")
def bounded_mean(inputs: Fields, params: Fields) -> Fields:
    # The golden hedged interval is read off a grid of 1/10,000; ours solves for its ends.
    limits = {"low": params["lower"], "high": params["upper"], "confidence": 1 - params["alpha"]}
    return {
        "hedged_betting_cs_final": ends(hedged_interval(inputs["y"], **limits)),
        "predmix_empirical_bernstein_final": ends(empirical_bernstein_interval(inputs["y"], **limits)),
        "predmix_hoeffding_final": ends(hoeffding_interval(inputs["y"], **limits)),
    }


@adapts("quantile_regression")
def quantile_effects(inputs: Fields, params: Fields) -> Fields:
    # Where n*q is whole the minimiser is not unique; ours is the smallest effect, a vertex like R_quantreg's.
    # se_sm_kernel is evaluated at our vertex, the golden one at the source's interior point.
    effect = quantile_effect(inputs["treatment"]["y"], inputs["control"]["y"], params["q"])
    return {
        "qte": effect.value,
        "se_iid": effect.error_alike,
        "se_nid": effect.error_sandwich,
        "se_ker": effect.error_kernel,
        "se_sm_kernel": effect.error_pooled_kernel,
    }
