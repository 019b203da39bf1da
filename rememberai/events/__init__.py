"""Events: prototypes, assignment, clustering, titles. Arrays in, arrays out."""

from rememberai.events.albums import AlbumFinder, Stories
from rememberai.events.answers import Assignment, Doubt, PhotoAssignments
from rememberai.events.assignment import EventAssigner
from rememberai.events.clustering import AlbumClusterer
from rememberai.events.fusing import AnswerFusion, OpinionFusion
from rememberai.events.occasions import OCCASIONS
from rememberai.events.prototypes import EventCover, EventPrototypes, Prototype
from rememberai.events.segmentation import Segmentation, segment

__all__ = [
    "OCCASIONS",
    "AlbumClusterer",
    "AlbumFinder",
    "AnswerFusion",
    "Assignment",
    "Doubt",
    "EventAssigner",
    "EventCover",
    "EventPrototypes",
    "OpinionFusion",
    "PhotoAssignments",
    "Prototype",
    "Segmentation",
    "Stories",
    "segment",
]
