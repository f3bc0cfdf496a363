"""What we asked and what happened: the room of definitions, the ledger and the readouts.

Here live the drafts people write, the life of an experiment, the catalogue of metrics, people, keys and the
audit log, publishing, the ledger of exposures and events, turning them into moments, and snapshots. Here
never live an HTTP request, a page or a sentence for a person's language.

Decisions of this room
----------------------
- One shape for every door: a form, an API body and a file all parse into the same draft.
- Use cases are keyword-only functions; they take the session, the actor and the clock. Nothing here asks
  what time it is.
- Tables are known in `experiments.store` and to the use cases that read and write rows; analytical SQL is
  composed in `experiments.observe` only.
- The ledger is append-only with a unique message id; everything that is derived (the columnar copy,
  readouts) can be thrown away and made again.
- Everything passes one intake on its way into the ledger, whichever door it comes through: compared with our
  own assignment, trimmed to the tracking plan, its ids turned into pseudonyms where that is asked for.
- What became of every message is counted in the transaction that stores it. Rows marked ``unknown`` or
  ``mismatch`` are analysed as they were recorded; only ``override`` is left out.
- A snapshot keeps the observation beside the readout, so that every number can be computed again from it.
"""
