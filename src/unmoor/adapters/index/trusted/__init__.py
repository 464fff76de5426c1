"""Trusted publishing: a token for minutes, in exchange for the CI's word on who this job is.

Nothing is stored anywhere. The CI gives the job an ID token (OpenID Connect) that names repository,
workflow and environment; an index that was told to trust these gives an API token for it.

Any index that speaks PyPI's protocol will do. twine has the exchange too, for the two public indexes
alone, with prompts, and without the checks that tell what is wrong before anything is built.

No workflow command masks the tokens (``::add-mask::``): that would write the very secret to a log and
trust a reader of it to act. They never leave this process but in a request's header or body.

`unmoor.adapters.index` imports it. Begin with `publishing`; `ambient` asks the CI, and `exchange` the index.
"""

from __future__ import annotations

from unmoor.adapters.index.trusted.publishing import TrustedPublishing

__all__ = ["TrustedPublishing"]
