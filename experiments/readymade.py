"""Ready-made metrics: the trade's numbers, from the names of two or three events.

They are ordinary metrics: what is listed here can be looked at, changed and saved like any other.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from experiments.fields import Draft, Key
from experiments.metrics import EventName, MetricDraft, Property

MONTH = "28d"
"""Four whole weeks, so that every month has the same weekdays."""


RETURNS = (1, 7, 30)
"""Days after the exposure on which a return is looked for."""


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
    made = [*_sales(draft), *_returns(draft), *_months(draft), *_lifetime(draft), *_clicks(draft)]
    told = ({**_texts(each["key"]), **each} for each in made)
    return tuple(MetricDraft.model_validate(_prefixed(each, draft.prefix)) for each in told)


def _prefixed(document: dict[str, Any], prefix: str | None) -> dict[str, Any]:
    if prefix is None:
        return document
    keys: dict[str, Any] = {
        name: f"{prefix}_{document[name]}" for name in ("key", "numerator", "denominator") if name in document
    }
    return {**document, **keys}


def _sales(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    sale: dict[str, Any] = {"event": draft.purchase}
    yield {"key": "conversion", "kind": "proportion", **sale}
    yield {"key": "revenue", "kind": "mean", "value": draft.value, "format": "currency", **sale}
    yield {"key": "orders", "kind": "mean", "aggregation": "count", **sale}
    yield {**_ratio("order_value", "revenue", "orders"), "format": "currency"}
    yield {"key": "bought_again", "kind": "proportion", "at_least": 2, **sale}
    yield {**_ratio("repeat_purchase", "bought_again", "conversion"), "format": "percent"}


def _returns(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    for day in RETURNS:
        yield {
            "key": f"d{day}_retention",
            "name": f"D{day} retention",
            "name_zh": f"{day} 日留存",
            "description": f"Share of units that were active between {day} and {day + 1} days after their "
            "exposure.",
            "description_zh": f"曝光后第 {day} 天仍活跃的用户占比。",
            "kind": "retention",
            "event": draft.visit,
            "from": f"{day}d",
            "to": f"{day + 1}d",
        }


def _months(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    visit: dict[str, Any] = {"event": draft.visit}
    second: dict[str, Any] = {"from": MONTH, "to": "56d", "lost": True, "direction": "decrease"}
    days: dict[str, Any] = {"aggregation": "days", "window": MONTH, "scale": 1 / 28, "format": "percent"}
    yield {"key": "churn", "kind": "retention", **visit, **second}
    yield {"key": "daily_share", "kind": "mean", **visit, **days}
    yield {"key": "monthly_active", "kind": "proportion", "window": MONTH, **visit}
    yield {**_ratio("stickiness", "daily_share", "monthly_active"), "format": "percent"}


def _lifetime(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    stays: dict[str, Any] = {"window": MONTH, "scale": draft.share, "format": "currency"}
    sale: dict[str, Any] = {"event": draft.purchase, "value": draft.value}
    yield {"key": "monthly_profit", "kind": "mean", **sale, **stays}
    yield {**_ratio("lifetime_value", "monthly_profit", "churn"), "format": "currency"}


def _clicks(draft: ReadyMadeDraft) -> Iterator[dict[str, Any]]:
    if draft.view is None or draft.click is None:
        return
    for key, event in (("views", draft.view), ("clicks", draft.click)):
        yield {"key": key, "kind": "mean", "aggregation": "count", "event": event}
    yield {**_ratio("click_through", "clicks", "views"), "format": "percent"}


def _ratio(key: str, numerator: str, denominator: str) -> dict[str, Any]:
    return {"key": key, "kind": "ratio", "numerator": numerator, "denominator": denominator}


def _texts(key: str) -> dict[str, str]:
    names = ("name", "name_zh", "description", "description_zh")
    return dict(zip(names, _TEXTS[key], strict=True)) if key in _TEXTS else {}


_LIFETIME = (
    "Profit per user and month by churn. It assumes that every later month earns what the first one earned, "
    "that the same share leaves in each month, and that money keeps its worth."
)

_TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "conversion": (
        "Conversion",
        "转化率",
        "Share of units that bought.",
        "至少购买一次的用户占比。",
    ),
    "revenue": (
        "Revenue per user",
        "人均收入（ARPU）",
        "What a unit spent.",
        "每个用户的消费金额。",
    ),
    "orders": (
        "Orders per user",
        "人均订单数",
        "Purchases of a unit.",
        "每个用户的购买次数。",
    ),
    "order_value": (
        "Average order value",
        "客单价",
        "Revenue by orders.",
        "收入除以订单数。",
    ),
    "bought_again": (
        "Bought at least twice",
        "多次购买",
        "Share of units that bought at least twice.",
        "至少购买两次的用户占比。",
    ),
    "repeat_purchase": (
        "Repeat purchase",
        "复购率",
        "Share of buyers that bought again.",
        "买家中再次购买的占比。",
    ),
    "churn": (
        "Churn",
        "流失率",
        "Share of units that were not active in the second four weeks after their exposure.",
        "曝光后第二个四周内不再活跃的用户占比。",
    ),
    "daily_share": (
        "Share of days",
        "活跃天数占比",
        "Days on which a unit was active, as a share of its first four weeks.",
        "曝光后四周内活跃天数的占比。",
    ),
    "monthly_active": (
        "Monthly active",
        "月活跃",
        "Share of units that were active in their first four weeks.",
        "曝光后四周内活跃过的用户占比。",
    ),
    "stickiness": (
        "Stickiness",
        "用户黏性（DAU/MAU）",
        "Units that are active on a day by those that are active in four weeks (DAU/MAU).",
        "日活跃用户数除以月活跃用户数。",
    ),
    "monthly_profit": (
        "Profit per user and month",
        "人均月毛利",
        "What stays of a unit's purchases in its first four weeks.",
        "曝光后四周内每个用户消费金额中的毛利。",
    ),
    "lifetime_value": (
        "Lifetime value, estimated",
        "用户生命周期价值（估算）",
        _LIFETIME,
        "人均月毛利除以流失率。假设之后每个月的毛利与首月相同、每月流失比例不变，且不计资金的时间价值。",
    ),
    "views": (
        "Views per user",
        "人均展示次数",
        "",
        "",
    ),
    "clicks": (
        "Clicks per user",
        "人均点击次数",
        "",
        "",
    ),
    "click_through": (
        "Click-through",
        "点击率",
        "Clicks by views.",
        "点击次数除以展示次数。",
    ),
}
"""What the metrics are called, in both languages, and what they say."""
