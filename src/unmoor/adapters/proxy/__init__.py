"""HAProxy by its runtime API: text commands on a socket, one a connection. Begin with `HaProxy`.

No library is used: haproxyadmin and haproxy-cli are unmaintained, and the protocol is a line there and text back.
Source: the management guide of HAProxy, "Unix Socket commands".
"""

from unmoor.adapters.proxy.runtime_api import HaProxy as HaProxy
