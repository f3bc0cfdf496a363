"""The doors: HTTP for programs, pages for people, and the command line.

Here live the application, keys and sign-in at the door, wording and translations, settings and the server's
start. Here never live a table, an SQL statement or a statistic: a handler guards, parses, calls one use case
and answers.

Decisions of this room
----------------------
- The doors look only at a mirror in memory; no decision waits for the database.
- A refusal of a use case is worded in one module for programs and in one for people.
- The clock is read here, once a request, and handed down.
- Everything that a person reads goes through gettext; what a program reads is English and stable.
"""
