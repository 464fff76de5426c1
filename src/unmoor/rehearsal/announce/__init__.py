"""Catches the announcements of a rehearsal: chats and a mail server that refuse what the real ones refuse.

A rehearsal sends to nobody. Each target of the settings gets an address here, of the same service if this room
imitates it. Begin with `targets`, which gives the addresses; `chat` and `mail` catch what is sent to them.
"""
