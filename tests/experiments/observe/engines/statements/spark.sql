WITH exposure AS (
  SELECT
    test AS experiment,
    visitor AS user_id,
    CAST(NULL AS STRING) AS anonymous_id,
    arm AS variant,
    UNIX_MILLIS(at) AS occurred_at,
    CAST(NULL AS BIGINT) AS received_at,
    CAST(NULL AS STRING) AS mark
  FROM analytics.shown
  WHERE
    test IN ('checkout') AND at >= CAST('2026-02-12 12:00:00' AS TIMESTAMP)
), event AS (
  SELECT
    visitor AS user_id,
    CAST(NULL AS STRING) AS anonymous_id,
    name AS event,
    amount AS value,
    UNIX_MILLIS(at) AS occurred_at,
    CAST(NULL AS BIGINT) AS received_at,
    CAST(NULL AS STRING) AS properties
  FROM analytics.clicks
  WHERE
    name IN ('buy')
    AND at >= CAST('2026-03-14 12:00:00' AS TIMESTAMP)
    AND day >= CAST('2026-03-14' AS DATE)
), shown AS (
  SELECT
    user_id AS unit,
    CASE WHEN variant = 'old' THEN 0 WHEN variant = 'new' THEN 1 END AS arm,
    occurred_at,
    CASE
      WHEN occurred_at >= 1773576000000 AND occurred_at < 4611686018427387904
      THEN 1
      ELSE 0
    END AS in_phase,
    CASE WHEN mark = 'override' THEN 1 ELSE 0 END AS by_hand,
    CASE WHEN mark = 'mismatch' THEN 1 ELSE 0 END AS unlike
  FROM exposure
  WHERE
    (
      experiment = 'checkout'
      AND NOT user_id IS NULL
      AND variant IN ('old', 'new')
      AND occurred_at <= 1774440000000
    )
    AND occurred_at >= 1770984000000
), met AS (
  SELECT
    unit,
    MIN(CASE WHEN in_phase = 1 THEN occurred_at END) AS first_at,
    MAX(CASE WHEN in_phase = 1 THEN occurred_at END) AS last_at,
    MIN(CASE WHEN in_phase = 1 THEN arm END) AS least,
    MAX(CASE WHEN in_phase = 1 THEN arm END) AS most,
    MIN(CASE WHEN in_phase = 1 THEN occurred_at * 64 + arm END) AS entry,
    MIN(occurred_at * 64 + arm) - MIN(occurred_at) * 64 AS recorded_arm,
    MAX(in_phase * by_hand) AS by_hand,
    COUNT(*) AS exposures,
    SUM(in_phase * unlike) AS unlike
  FROM shown
  GROUP BY
    unit
), sorted_out AS (
  SELECT
    met.unit,
    met.least AS arm,
    met.first_at,
    met.last_at,
    met.exposures,
    met.unlike,
    met.entry - met.first_at * 64 AS first_arm,
    met.recorded_arm,
    CASE
      WHEN met.first_at IS NULL
      THEN 1
      WHEN met.by_hand = 1
      THEN 2
      WHEN met.least < met.most
      THEN 4
      ELSE 0
    END AS fate
  FROM met
), units AS (
  SELECT
    unit,
    arm,
    first_at
  FROM sorted_out
  WHERE
    fate = 0
), gathered AS (
  SELECT
    unit,
    COUNT(*) AS events,
    MAX(occurred_at) AS last_at,
    COALESCE(
      SUM(
        CASE
          WHEN event = 'buy' AND age >= 0 AND age < 604800000
          THEN CAST(1 AS DOUBLE)
          ELSE CAST(0 AS DOUBLE)
        END
      ),
      CAST(0 AS DOUBLE)
    ) AS g0,
    COALESCE(
      SUM(
        CASE
          WHEN event = 'buy' AND age >= 0
          THEN COALESCE(
            CASE
              WHEN NOT (
                value > CAST(1e+100 AS DOUBLE) OR value < CAST(-1E+100 AS DOUBLE)
              )
              THEN value
            END,
            CAST(0 AS DOUBLE)
          )
          ELSE CAST(0 AS DOUBLE)
        END
      ),
      CAST(0 AS DOUBLE)
    ) AS g1
  FROM (
    SELECT
      units.unit,
      units.arm,
      units.first_at,
      event.occurred_at,
      event.occurred_at - units.first_at AS age,
      event.event,
      event.value,
      event.properties
    FROM units
    JOIN event
      ON event.user_id = units.unit
    WHERE
      (
        event.occurred_at <= 1774440000000 AND event.occurred_at >= units.first_at - 0
      )
      AND event.event IN ('buy')
  ) AS taken
  GROUP BY
    unit
), reached AS (
  SELECT
    hour,
    MAX(newest) OVER (ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS newest
  FROM (
    SELECT
      CAST(FLOOR(received_at / 3600000.0) AS BIGINT) AS hour,
      MAX(occurred_at) AS newest
    FROM event
    WHERE
      NOT received_at IS NULL
      AND occurred_at <= 1774440000000
      AND EXISTS(
        SELECT
          1
        FROM event AS slow
        WHERE
          slow.received_at - slow.occurred_at > 86400000
          AND slow.occurred_at <= 1774440000000
      )
    GROUP BY
      CAST(FLOOR(received_at / 3600000.0) AS BIGINT)
  ) AS hours
), totals AS (
  SELECT
    units.unit,
    units.arm,
    units.first_at,
    COALESCE(gathered.events, 0) AS events,
    CASE
      WHEN COALESCE(gathered.g0, CAST(0 AS DOUBLE)) >= CAST(1 AS DOUBLE)
      THEN CAST(1 AS DOUBLE)
      ELSE CAST(0 AS DOUBLE)
    END AS x0,
    COALESCE(gathered.g1, CAST(0 AS DOUBLE)) AS x1
  FROM units
  LEFT JOIN gathered
    ON gathered.unit = units.unit
), limit1 AS (
  SELECT
    GREATEST(
      COALESCE(
        SUM(
          CASE
            WHEN place = FLOOR(wanted)
            THEN value * (
              1 - (
                wanted - FLOOR(wanted)
              )
            )
            WHEN place = FLOOR(wanted) + 1
            THEN value * (
              wanted - FLOOR(wanted)
            )
          END
        ),
        0
      ),
      0
    ) AS cap
  FROM (
    SELECT
      x1 AS value,
      ROW_NUMBER() OVER (ORDER BY x1) - 1 AS place,
      (
        COUNT(*) OVER () - 1
      ) * CAST(0.99 AS DOUBLE) AS wanted
    FROM totals
  ) AS ranked
), valued AS (
  SELECT
    totals.unit,
    totals.arm,
    totals.first_at,
    totals.events,
    totals.x0 AS x0,
    LEAST(totals.x1, limit1.cap) AS x1
  FROM totals
  CROSS JOIN limit1
), centres AS (
  SELECT
    COUNT(*) AS pooled,
    COALESCE(AVG(CASE WHEN first_at <= 1773835200000 THEN x0 END), CAST(0 AS DOUBLE)) AS x0_middle,
    COALESCE(STDDEV_POP(CASE WHEN first_at <= 1773835200000 THEN x0 END), CAST(0 AS DOUBLE)) AS x0_spread,
    COALESCE(AVG(x1), CAST(0 AS DOUBLE)) AS x1_middle,
    COALESCE(STDDEV_POP(x1), CAST(0 AS DOUBLE)) AS x1_spread
  FROM valued
), cells AS (
  SELECT
    unit,
    arm,
    CAST(FLOOR((
      occurred_at
    ) / 86400000.0) AS BIGINT) AS day,
    COALESCE(
      SUM(
        CASE
          WHEN event = 'buy' AND age >= 0
          THEN COALESCE(
            CASE
              WHEN NOT (
                value > CAST(1e+100 AS DOUBLE) OR value < CAST(-1E+100 AS DOUBLE)
              )
              THEN value
            END,
            CAST(0 AS DOUBLE)
          )
          ELSE CAST(0 AS DOUBLE)
        END
      ),
      CAST(0 AS DOUBLE)
    ) AS g1
  FROM (
    SELECT
      units.unit,
      units.arm,
      units.first_at,
      event.occurred_at,
      event.occurred_at - units.first_at AS age,
      event.event,
      event.value,
      event.properties
    FROM units
    JOIN event
      ON event.user_id = units.unit
    WHERE
      (
        event.occurred_at <= 1774440000000 AND event.occurred_at >= units.first_at
      )
      AND event.event IN ('buy')
  ) AS taken
  GROUP BY
    unit,
    arm,
    CAST(FLOOR((
      occurred_at
    ) / 86400000.0) AS BIGINT)
), so_far AS (
  SELECT
    unit,
    arm,
    day,
    ROW_NUMBER() OVER (PARTITION BY unit ORDER BY day) AS place,
    SUM(g1) OVER (PARTITION BY unit ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS after1,
    SUM(g1) OVER (PARTITION BY unit ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - g1 AS before1
  FROM cells
), levels AS (
  SELECT
    so_far.unit,
    so_far.arm,
    so_far.day,
    so_far.place,
    LEAST(COALESCE(so_far.after1, CAST(0 AS DOUBLE)), limit1.cap) AS after1,
    LEAST(COALESCE(so_far.before1, CAST(0 AS DOUBLE)), limit1.cap) AS before1
  FROM so_far
  CROSS JOIN limit1
)
SELECT
  'arrival' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(arm AS BIGINT) AS arm,
  CAST(CAST(FLOOR((
    first_at
  ) / 86400000.0) AS BIGINT) AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM units
GROUP BY
  arm,
  CAST(FLOOR((
    first_at
  ) / 86400000.0) AS BIGINT)
UNION ALL
SELECT
  'fate' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(recorded_arm AS BIGINT) AS arm,
  CAST(fate AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(first_arm AS DOUBLE) AS v0,
  CAST(COALESCE(SUM(exposures), CAST(0 AS DOUBLE)) AS DOUBLE) AS v1,
  CAST(COALESCE(SUM(unlike), CAST(0 AS DOUBLE)) AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM sorted_out
GROUP BY
  recorded_arm,
  first_arm,
  fate
UNION ALL
SELECT
  'exposure_through' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(MAX(last_at) AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM sorted_out
UNION ALL
SELECT
  'event_through' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(MAX(last_at) AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(COALESCE(SUM(events), CAST(0 AS DOUBLE)) AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM gathered
UNION ALL
SELECT
  'future_exposures' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM exposure
WHERE
  experiment = 'checkout' AND occurred_at > 1774440000000
UNION ALL
SELECT
  'future_events' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM event
WHERE
  occurred_at > 1774440000000 AND event IN ('buy')
UNION ALL
SELECT
  'without_id' AS part,
  '' AS name,
  CAST(variant AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(DISTINCT anonymous_id) AS BIGINT) AS n,
  CAST(COUNT(*) AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM exposure
WHERE
  (
    experiment = 'checkout'
    AND user_id IS NULL
    AND occurred_at <= 1774440000000
    AND variant IN ('old', 'new')
  )
  AND occurred_at >= 1770984000000
GROUP BY
  variant
UNION ALL
SELECT
  'late' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM event
JOIN (
  SELECT
    unit,
    first_at
  FROM units
  WHERE
    EXISTS(
      SELECT
        1
      FROM reached
    )
) AS met
  ON event.user_id = met.unit
JOIN reached
  ON reached.hour = CAST(FLOOR(event.received_at / 3600000.0) AS BIGINT)
WHERE
  (
    event.occurred_at >= met.first_at
    AND event.occurred_at <= 1774440000000
    AND event.received_at - event.occurred_at > 86400000
    AND event.occurred_at + 86400000 < reached.newest
  )
  AND event.event IN ('buy')
UNION ALL
SELECT
  'arrived' AS part,
  '' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM (
  SELECT
    1 AS one
  FROM event
  WHERE
    NOT received_at IS NULL
  LIMIT 1
) AS known
UNION ALL
SELECT
  'too_large' AS part,
  '' AS name,
  CAST(event AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(NULL AS DOUBLE) AS v0,
  CAST(NULL AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM event
WHERE
  event IN ('buy')
  AND (
    value > CAST(1e+100 AS DOUBLE) OR value < CAST(-1E+100 AS DOUBLE)
  )
GROUP BY
  event
UNION ALL
SELECT
  'middle' AS part,
  'buys' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(1 AS BIGINT) AS n,
  CAST(centres.x0_middle AS DOUBLE) AS v0,
  CAST(centres.x0_spread AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM centres
UNION ALL
SELECT
  'middle' AS part,
  'spend' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(0 AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(1 AS BIGINT) AS n,
  CAST(centres.x1_middle AS DOUBLE) AS v0,
  CAST(centres.x1_spread AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM centres
UNION ALL
SELECT
  'uncapped' AS part,
  'spend' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(totals.arm AS BIGINT) AS arm,
  CAST(NULL AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(SUM(totals.x1) AS DOUBLE) AS v0,
  CAST(SUM((
    totals.x1 - centres.x1_middle
  ) * (
    totals.x1 - centres.x1_middle
  )) AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM totals
CROSS JOIN centres
WHERE
  totals.first_at <= 1774440000000
GROUP BY
  totals.arm
UNION ALL
SELECT
  'metric' AS part,
  'buys' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(valued.arm AS BIGINT) AS arm,
  CAST(CASE
    WHEN valued.first_at <= 1773835200000
    THEN CAST(FLOOR((
      valued.first_at + 604800000
    ) / 86400000.0) AS BIGINT)
  END AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(SUM(valued.x0) AS DOUBLE) AS v0,
  CAST(SUM((
    valued.x0 - centres.x0_middle
  ) * (
    valued.x0 - centres.x0_middle
  )) AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM valued
CROSS JOIN centres
GROUP BY
  valued.arm,
  CASE
    WHEN valued.first_at <= 1773835200000
    THEN CAST(FLOOR((
      valued.first_at + 604800000
    ) / 86400000.0) AS BIGINT)
  END
UNION ALL
SELECT
  'metric' AS part,
  'spend' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(valued.arm AS BIGINT) AS arm,
  CAST(CASE
    WHEN valued.first_at <= 1774440000000
    THEN CAST(FLOOR((
      valued.first_at + 0
    ) / 86400000.0) AS BIGINT)
  END AS BIGINT) AS day,
  CAST(COUNT(*) AS BIGINT) AS n,
  CAST(SUM(valued.x1) AS DOUBLE) AS v0,
  CAST(SUM((
    valued.x1 - centres.x1_middle
  ) * (
    valued.x1 - centres.x1_middle
  )) AS DOUBLE) AS v1,
  CAST(SUM(
    CASE
      WHEN centres.x1_spread > 0
      THEN (
        (
          (
            valued.x1 - centres.x1_middle
          ) / centres.x1_spread
        ) * (
          (
            valued.x1 - centres.x1_middle
          ) / centres.x1_spread
        )
      ) * (
        (
          valued.x1 - centres.x1_middle
        ) / centres.x1_spread
      )
      ELSE CAST(0 AS DOUBLE)
    END
  ) AS DOUBLE) AS v2,
  CAST(MAX(ABS(valued.x1)) AS DOUBLE) AS v3,
  CAST(SUM(ABS(valued.x1)) AS DOUBLE) AS v4
FROM valued
CROSS JOIN centres
GROUP BY
  valued.arm,
  CASE
    WHEN valued.first_at <= 1774440000000
    THEN CAST(FLOOR((
      valued.first_at + 0
    ) / 86400000.0) AS BIGINT)
  END
UNION ALL
SELECT
  'step' AS part,
  'spend' AS name,
  CAST(NULL AS STRING) AS label,
  CAST(levels.arm AS BIGINT) AS arm,
  CAST(levels.day AS BIGINT) AS day,
  CAST(SUM(CASE WHEN levels.place = 1 THEN 1 ELSE 0 END) AS BIGINT) AS n,
  CAST(SUM(levels.after1 - levels.before1) AS DOUBLE) AS v0,
  CAST(SUM(
    (
      levels.after1 - centres.x1_middle
    ) * (
      levels.after1 - centres.x1_middle
    ) - CASE
      WHEN levels.place = 1
      THEN CAST(0 AS DOUBLE)
      ELSE (
        levels.before1 - centres.x1_middle
      ) * (
        levels.before1 - centres.x1_middle
      )
    END
  ) AS DOUBLE) AS v1,
  CAST(NULL AS DOUBLE) AS v2,
  CAST(NULL AS DOUBLE) AS v3,
  CAST(NULL AS DOUBLE) AS v4
FROM levels
CROSS JOIN centres
GROUP BY
  levels.arm,
  levels.day
