"""Occasions: common names for what albums are of, to tell what is none of the learned events."""

from __future__ import annotations

_HOLIDAYS = (
    "New Year's Eve, Chinese New Year, Valentine's Day, Carnival, Easter, Eid, Independence Day, "
    "Halloween, Diwali, Thanksgiving, Hanukkah, Christmas"
)
_OF_A_LIFE = (
    "birth of a baby, baby shower, baptism, birthday, graduation, engagement, wedding, "
    "anniversary, family reunion, funeral, moving house"
)
_OUTINGS = (
    "beach, hiking, camping, skiing, road trip, city trip, cruise, picnic, barbecue, zoo, "
    "theme park, museum, concert, festival, parade, theatre, fair, sports game, race, conference, "
    "protest, party, dinner, school"
)
OCCASIONS = tuple(", ".join((_HOLIDAYS, _OF_A_LIFE, _OUTINGS)).split(", "))
"""47 names of holidays, events of a life, and outings; see `EventAssigner`."""
