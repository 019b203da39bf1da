"""Events: prototypes, assignment, clustering, titles. Arrays in, arrays out."""

from rememberai.events.answers import Assignment, PhotoAssignments
from rememberai.events.assignment import EventAssigner
from rememberai.events.clustering import AlbumClusterer
from rememberai.events.prototypes import EventPrototypes

__all__ = [
    "AlbumClusterer",
    "Assignment",
    "EventAssigner",
    "EventPrototypes",
    "PhotoAssignments",
]
