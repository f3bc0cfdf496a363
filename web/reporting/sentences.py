"""Sentences: what the pages say about a readout, as plain texts for programs and messages."""

from typing import Any

from analysis import Readout
from web.wording import Names, chip_of, conclude, four_checks
from web.wording.changes import sentence_of
from web.wording.limits import limit_sentence
from web.wording.methods import interval_note
from web.wording.readings import heading
from web.wording.segments import interaction_sentences


def sentences_of(readout: Readout, names: Names) -> dict[str, Any]:
    """Everything that is said, in the reader's language."""
    conclusion = conclude(readout, names)
    return {
        "verdict": {
            "headline": conclusion.headline,
            "sentences": list(conclusion.sentences),
            "frequency": conclusion.frequency,
            "caution": conclusion.caution,
            "causes": list(conclusion.causes),
        },
        "checks": [
            {"state": each.state, "claim": each.claim, "grounds": each.grounds}
            for each in four_checks(readout, names)
        ],
        "intervals": interval_note(readout),
        "comparisons": [
            {
                "metric": finding.metric,
                "variant": finding.variant,
                "segment": finding.segment,
                "heading": heading(names, finding),
                "reading": chip_of(readout, finding).word,
                "sentence": sentence_of(readout, names, finding),
                "limit": limit_sentence(finding),
            }
            for finding in readout.comparisons
        ],
        "segments": list(interaction_sentences(readout, names)),
    }
