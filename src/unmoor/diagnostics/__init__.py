"""What `unmoor doctor` reports of a machine: facts that are looked up side by side, and none of which is secret.

`facts` says what a fact is, and looks several up within a time limit. `programs`, `surfaces`, `credentials`
and `circumstances` are the questions, which reach the outside through what they are given. `privacy` shortens homes and
user names, and `report` makes the block of text. Nothing here stops at an error: what cannot be known is
*unknown*. Begin with `facts`.
"""
