WITH exposure AS (
  SELECT
    CAST(NULL AS Nullable(Int64)) AS id,
    test AS experiment,
    visitor AS user_id,
    CAST(NULL AS Nullable(String)) AS anonymous_id,
    arm AS variant,
    toUnixTimestamp64Milli(toDateTime64(at, 3)) AS occurred_at,
    CAST(NULL AS Nullable(Int64)) AS received_at,
    CAST(NULL AS Nullable(String)) AS attributes,
    CAST(NULL AS Nullable(String)) AS mark
  FROM analytics.shown
), event AS (
  SELECT
    CAST(NULL AS Nullable(Int64)) AS id,
    visitor AS user_id,
    CAST(NULL AS Nullable(String)) AS anonymous_id,
    name AS event,
    amount AS value,
    toUnixTimestamp64Milli(toDateTime64(at, 3)) AS occurred_at,
    CAST(NULL AS Nullable(Int64)) AS received_at,
    CAST(NULL AS Nullable(String)) AS properties
  FROM analytics.clicks
), shown AS (
  SELECT
    user_id AS unit,
    variant,
    occurred_at,
    CASE WHEN mark = 'override' THEN 1 ELSE 0 END AS by_hand
  FROM exposure
  WHERE
    experiment = 'checkout'
    AND NOT (
      user_id IS NULL
    )
    AND variant IN ('old', 'new')
    AND occurred_at >= -4611686018427387904
    AND occurred_at < 4611686018427387904
    AND occurred_at <= 1774440000000
), met AS (
  SELECT
    unit,
    MIN(variant) AS variant,
    MIN(occurred_at) AS first_at,
    MAX(occurred_at) AS last_at,
    COUNT(DISTINCT variant) AS variants,
    MAX(by_hand) AS by_hand
  FROM shown
  GROUP BY
    unit
), units AS (
  SELECT
    unit,
    variant,
    first_at
  FROM met
  WHERE
    variants = 1 AND by_hand = 0
), happened AS (
  SELECT
    units.unit,
    units.variant,
    MAX(event.occurred_at) AS last_at,
    CAST(FLOOR(event.occurred_at / 86400000.0) AS Nullable(Int64)) AS day,
    CAST(SUM(
      CASE
        WHEN event.event = 'buy' AND event.occurred_at < units.first_at + 604800000
        THEN 1
        ELSE 0
      END
    ) AS Nullable(Float64)) AS m0,
    CAST(SUM(CASE WHEN event.event = 'buy' THEN COALESCE(event.value, 0) ELSE 0 END) AS Nullable(Float64)) AS m1
  FROM units
  JOIN event
    ON event.user_id = units.unit
  WHERE
    event.occurred_at >= units.first_at
    AND event.occurred_at <= 1774440000000
    AND event.event IN ('buy')
  GROUP BY
    units.unit,
    units.variant,
    day
), totals AS (
  SELECT
    units.unit,
    units.variant,
    units.first_at,
    LEAST(COALESCE(SUM(happened.m0), 0), 1.0) AS m0,
    COALESCE(SUM(happened.m1), 0) AS m1
  FROM units
  LEFT JOIN happened
    ON happened.unit = units.unit
  GROUP BY
    units.unit,
    units.variant,
    units.first_at
), limits AS (
  SELECT
    COUNT(*) AS pooled,
    GREATEST(quantileExactInclusive(0.99)(m1), 0.0) AS limit1
  FROM totals
), valued AS (
  SELECT
    totals.unit,
    totals.variant,
    totals.first_at,
    totals.m0 AS m0,
    LEAST(totals.m1, limits.limit1) AS m1
  FROM totals
  CROSS JOIN limits
), centres AS (
  SELECT
    COUNT(*) AS pooled,
    COALESCE(AVG(m0), 0) AS centre0,
    COALESCE(AVG(m1), 0) AS centre1
  FROM valued
), scales AS (
  SELECT
    COUNT(*) AS pooled,
    AVG(CASE WHEN first_at <= 1773835200000 THEN m0 END) AS middle0,
    STDDEV_POP(CASE WHEN first_at <= 1773835200000 THEN m0 END) AS spread0,
    AVG(CASE WHEN first_at <= 1774440000000 THEN m1 END) AS middle1,
    STDDEV_POP(CASE WHEN first_at <= 1774440000000 THEN m1 END) AS spread1
  FROM valued
), running AS (
  SELECT
    unit,
    variant,
    day,
    SUM(m0) OVER (PARTITION BY unit ORDER BY day NULLS FIRST) AS m0,
    SUM(m1) OVER (PARTITION BY unit ORDER BY day NULLS FIRST) AS m1
  FROM happened
), levels AS (
  SELECT
    unit,
    variant,
    day,
    CASE
      WHEN lag(day) OVER (PARTITION BY unit ORDER BY day NULLS FIRST) IS NULL
      THEN 1
      ELSE 0
    END AS first_day,
    m0 AS after0,
    COALESCE(lag(m0) OVER (PARTITION BY unit ORDER BY day NULLS FIRST), 0) AS before0,
    m1 AS after1,
    COALESCE(lag(m1) OVER (PARTITION BY unit ORDER BY day NULLS FIRST), 0) AS before1
  FROM (
    SELECT
      running.unit,
      running.variant,
      running.day,
      LEAST(running.m0, 1.0) AS m0,
      LEAST(running.m1, limits.limit1) AS m1
    FROM running
    CROSS JOIN limits
  ) AS capped
)
SELECT
  'arrival' AS part,
  '' AS metric,
  variant,
  CAST(FLOOR(first_at / 86400000.0) AS Nullable(Int64)) AS day,
  COUNT(*) AS n,
  CAST(0 AS Nullable(Float64)) AS first,
  CAST(0 AS Nullable(Float64)) AS second
FROM units
GROUP BY
  variant,
  day
UNION ALL
SELECT
  'excluded',
  CASE WHEN by_hand = 1 THEN 'override' ELSE 'crossover' END AS reason,
  '',
  0,
  COUNT(*),
  0,
  0
FROM met
WHERE
  by_hand = 1 OR variants > 1
GROUP BY
  reason
UNION ALL
SELECT
  'through',
  'exposure',
  '',
  MAX(last_at),
  COUNT(*),
  0,
  0
FROM met
UNION ALL
SELECT
  'through',
  'event',
  '',
  MAX(last_at),
  COUNT(*),
  0,
  0
FROM happened
UNION ALL
SELECT
  'total',
  'buys',
  variant,
  0,
  COUNT(*),
  AVG(m0),
  COALESCE(varSamp(m0), 0)
FROM valued
WHERE
  first_at <= 1773835200000
GROUP BY
  variant
UNION ALL
SELECT
  'shape',
  'buys',
  '',
  0,
  COUNT(*),
  COALESCE(
    AVG(CASE WHEN spread0 > 0 THEN POWER((
      m0 - middle0
    ) / spread0, 3) ELSE 0 END),
    0
  ),
  COALESCE(MAX(ABS(m0)) / nullIf(SUM(ABS(m0)), 0), 0)
FROM valued
CROSS JOIN scales
WHERE
  first_at <= 1773835200000
UNION ALL
SELECT
  'centre',
  'buys',
  '',
  0,
  0,
  centre0,
  0
FROM centres
UNION ALL
SELECT
  'immature',
  'buys',
  '',
  0,
  COUNT(*),
  0,
  0
FROM valued
WHERE
  NOT first_at <= 1773835200000
UNION ALL
SELECT
  'step',
  'buys',
  variant,
  CAST(FLOOR((
    first_at + 604800000
  ) / 86400000.0) AS Nullable(Int64)) AS day,
  COUNT(*),
  SUM(m0),
  SUM(POWER(m0 - centre0, 2))
FROM valued
CROSS JOIN centres
WHERE
  first_at <= 1773835200000
GROUP BY
  variant,
  day
UNION ALL
SELECT
  'total',
  'spend',
  variant,
  0,
  COUNT(*),
  AVG(m1),
  COALESCE(varSamp(m1), 0)
FROM valued
WHERE
  first_at <= 1774440000000
GROUP BY
  variant
UNION ALL
SELECT
  'shape',
  'spend',
  '',
  0,
  COUNT(*),
  COALESCE(
    AVG(CASE WHEN spread1 > 0 THEN POWER((
      m1 - middle1
    ) / spread1, 3) ELSE 0 END),
    0
  ),
  COALESCE(MAX(ABS(m1)) / nullIf(SUM(ABS(m1)), 0), 0)
FROM valued
CROSS JOIN scales
WHERE
  first_at <= 1774440000000
UNION ALL
SELECT
  'centre',
  'spend',
  '',
  0,
  0,
  centre1,
  0
FROM centres
UNION ALL
SELECT
  'step',
  'spend',
  variant,
  day,
  SUM(first_day),
  SUM(after1 - before1),
  SUM(POWER(after1 - centre1, 2) - (
    1 - first_day
  ) * POWER(before1 - centre1, 2))
FROM levels
CROSS JOIN centres
GROUP BY
  variant,
  day
SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1
