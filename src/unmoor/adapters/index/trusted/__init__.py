"""Trusted publishing: exchange the CI's ID token of a job for a short-lived API token.

Nothing is stored. The CI gives the job an ID token (OpenID Connect) that names the repository, workflow and
environment. An index that is configured to trust them exchanges it for an API token.

Works with any index that speaks PyPI's protocol. twine has the exchange too, but only for the two public indexes,
with prompts, and without the checks that find a mistake before anything is built.

Tokens leave this process only in the header or body of a request. No workflow command masks them (``::add-mask::``):
that would write the secret to the log and rely on a reader of the log to hide it.

`unmoor.adapters.index` imports it. Begin with `publishing`; `exchange` asks the index.
"""

from __future__ import annotations

from unmoor.adapters.index.trusted.publishing import TrustedPublishing

__all__ = ["TrustedPublishing"]
