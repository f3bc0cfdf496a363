"""Ready-made metrics: the trade's numbers, from the names of two or three events.

They are ordinary metrics: what is listed here can be looked at, changed and saved like any other.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from experiments.fields import Draft, Key
from experiments.metrics import EventName, MetricDraft, Property

MONTH = "28d"
"""Four whole weeks, so that every month has the same weekdays."""


class ReadyMadeDraft(Draft):
    """What the metrics are made from.

    ``visit`` is the event that says that a unit was there, ``purchase`` the one that earns, and ``click``
    follows ``view``. ``share`` is what stays of a sale's value after its costs, and ``prefix`` begins the
    keys of all metrics.
    """

    visit: EventName
    purchase: EventName
    view: EventName | None = None
    click: EventName | None = None
    value: Property = "value"
    share: float = Field(default=0.3, gt=0, le=1)
    prefix: Key | None = None


def ready_made(draft: ReadyMadeDraft) -> tuple[MetricDraft, ...]:
    """The metrics that these events make.

    Examples
    --------
    >>> [metric.key for metric in ready_made(ReadyMadeDraft(visit="view", purchase="buy"))][:4]
    ['conversion', 'revenue', 'orders', 'order_value']
    """
    named = [*_sales(draft), *_visits(draft), *_months(draft), *_clicks(draft)]
    return tuple(MetricDraft.model_validate(_prefixed(each, draft.prefix)) for each in named)


def _prefixed(document: dict[str, Any], prefix: str | None) -> dict[str, Any]:
    if prefix is None:
        return document
    keys: dict[str, Any] = {
        name: f"{prefix}_{document[name]}" for name in ("key", "numerator", "denominator") if name in document
    }
    return {**document, **keys}


def _sales(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    sale: dict[str, Any] = {"event": draft.purchase}
    worth: dict[str, Any] = {**sale, "value": draft.value}
    yield {
        **_texts(
            "conversion", "Conversion", "转化率", "Share of units that bought.", "至少购买一次的用户占比。"
        ),
        **sale,
        "kind": "proportion",
    }
    yield {
        **_texts(
            "revenue", "Revenue per user", "人均收入（ARPU）", "What a unit spent.", "每个用户的消费金额。"
        ),
        **worth,
        "kind": "mean",
        "format": "currency",
    }
    yield {
        **_texts("orders", "Orders per user", "人均订单数", "Purchases of a unit.", "每个用户的购买次数。"),
        **sale,
        "kind": "mean",
        "aggregation": "count",
    }
    yield {
        **_texts("order_value", "Average order value", "客单价", "Revenue by orders.", "收入除以订单数。"),
        "kind": "ratio",
        "numerator": "revenue",
        "denominator": "orders",
        "format": "currency",
    }
    yield {
        **_texts(
            "bought_again",
            "Bought at least twice",
            "多次购买",
            "Share of units that bought at least twice.",
            "至少购买两次的用户占比。",
        ),
        **sale,
        "kind": "proportion",
        "at_least": 2,
    }
    yield {
        **_texts(
            "repeat_purchase",
            "Repeat purchase",
            "复购率",
            "Share of buyers that bought again.",
            "买家中再次购买的占比。",
        ),
        "kind": "ratio",
        "numerator": "bought_again",
        "denominator": "conversion",
        "format": "percent",
    }


def _visits(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    for day in (1, 7, 30):
        yield {
            **_texts(
                f"d{day}_retention",
                f"D{day} retention",
                f"{day} 日留存",
                f"Share of units that were active between {day} and {day + 1} days after their exposure.",
                f"曝光后第 {day} 天仍活跃的用户占比。",
            ),
            "event": draft.visit,
            "kind": "retention",
            "from": f"{day}d",
            "to": f"{day + 1}d",
        }


def _months(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    yield {
        **_texts(
            "churn",
            "Churn",
            "流失率",
            "Share of units that were not active in the second four weeks after their exposure.",
            "曝光后第二个四周内不再活跃的用户占比。",
        ),
        "event": draft.visit,
        "kind": "retention",
        "from": MONTH,
        "to": "56d",
        "lost": True,
        "direction": "decrease",
    }
    yield {
        **_texts(
            "daily_share",
            "Share of days",
            "活跃天数占比",
            "Days on which a unit was active, as a share of its first four weeks.",
            "曝光后四周内活跃天数的占比。",
        ),
        "event": draft.visit,
        "kind": "mean",
        "aggregation": "days",
        "window": MONTH,
        "scale": 1 / 28,
        "format": "percent",
    }
    yield {
        **_texts(
            "monthly_active",
            "Monthly active",
            "月活跃",
            "Share of units that were active in their first four weeks.",
            "曝光后四周内活跃过的用户占比。",
        ),
        "event": draft.visit,
        "kind": "proportion",
        "window": MONTH,
    }
    yield {
        **_texts(
            "stickiness",
            "Stickiness",
            "用户黏性（DAU/MAU）",
            "Units that are active on a day by those that are active in four weeks (DAU/MAU).",
            "日活跃用户数除以月活跃用户数。",
        ),
        "kind": "ratio",
        "numerator": "daily_share",
        "denominator": "monthly_active",
        "format": "percent",
    }
    yield {
        **_texts(
            "monthly_profit",
            "Profit per user and month",
            "人均月毛利",
            "What stays of a unit's purchases in its first four weeks.",
            "曝光后四周内每个用户消费金额中的毛利。",
        ),
        "event": draft.purchase,
        "value": draft.value,
        "kind": "mean",
        "window": MONTH,
        "scale": draft.share,
        "format": "currency",
    }
    yield {
        **_texts(
            "lifetime_value",
            "Lifetime value, estimated",
            "用户生命周期价值（估算）",
            "Profit per user and month by churn. It assumes that every later month earns what the first one "
            "earned, that the same share leaves in each month, and that money keeps its worth.",
            "人均月毛利除以流失率。假设之后每个月的毛利与首月相同、每月流失比例不变，且不计资金的时间价值。",
        ),
        "kind": "ratio",
        "numerator": "monthly_profit",
        "denominator": "churn",
        "format": "currency",
    }


def _clicks(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    if draft.view is None or draft.click is None:
        return
    for key, name, name_zh, event in (
        ("views", "Views per user", "人均展示次数", draft.view),
        ("clicks", "Clicks per user", "人均点击次数", draft.click),
    ):
        yield {**_texts(key, name, name_zh), "kind": "mean", "aggregation": "count", "event": event}
    yield {
        **_texts("click_through", "Click-through", "点击率", "Clicks by views.", "点击次数除以展示次数。"),
        "kind": "ratio",
        "numerator": "clicks",
        "denominator": "views",
        "format": "percent",
    }


def _texts(
    key: str, name: str, name_zh: str, description: str = "", description_zh: str = ""
) -> dict[str, Any]:
    return {
        "key": key,
        "name": name,
        "description": description,
        "name_zh": name_zh,
        "description_zh": description_zh,
    }
