"""Conformance vectors: what every implementation of Evenhand's assignment has to compute.

``vectors.json`` is language-neutral. Read it as UTF-8 JSON and check each list against your code; an
implementation that agrees with all of them gives every unit the variant that the server gives it. The file is
written by ``python -m tests.conformance.write_vectors`` and checked by ``test_vectors.py``. A version of the
hash never changes, so entries are added to the file and never edited.

``format``, ``hash_version``
    1 and 2.

``hash``: list of ``{salt, unit, repeat?, fnv1a32, bucket}``
    ``unit`` is to be repeated ``repeat`` times (once, where it is missing). ``fnv1a32`` is FNV-1a, 32 bits,
    over the UTF-16 code units of the salt followed by the unit: start from 2166136261, and for each code unit
    xor, then multiply by 16777619 modulo 2^32. ``bucket`` is the same hash over the decimal digits of that
    number, modulo 10000.

``ranges``: list of ``{weights, traffic, ranges}``
    The half-open ranges of buckets ``[start, end)`` of each variant, by integer arithmetic alone. With W the
    sum of the weights, the home of variant i begins at floor(10000 * (w_1 + … + w_(i-1)) / W) and ends where
    the next one begins; its range is the first floor(length * traffic / 10000) buckets of its home.

``layers``: list of ``{salt, slots, unit, position, inside}``
    ``position`` is the unit's bucket under the layer's salt; it is inside when one of the slots, half-open
    ranges, holds it.

``holdouts``: list of ``{salt, share, unit, held_out}``
    A unit is held out when its bucket under the holdout's salt is below the share.

``targeting``: list of ``{condition, segments?, attributes, matches, growthbook}``
    Whether a unit with these attributes is meant. ``growthbook`` is the same condition in the language of
    GrowthBook clients, segments unfolded, for testing a compiler or a client of that kind.

``rulesets``: list of ``{ruleset, payload, decisions}``
    A published document, the features that GrowthBook clients download for it, and
    ``decisions``: ``{key, unit, attributes, variant, value, reason, detail, in_experiment, bucket}``, where
    ``bucket`` is null when the decision did not come that far. ``detail`` is the first of these that applies:
    unknown_key, not_running, shipped, no_unit, override, not_targeted, held_out, layer_excluded,
    not_in_traffic, assigned. Clients of the payload know no overrides; for them those decisions differ.
"""
