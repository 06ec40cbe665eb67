"""Projects and their blocks, who has them, who waits for them, and what they generate."""

from apps.capacity.models.allocations import Allocation
from apps.capacity.models.blocks import CapacityBlock
from apps.capacity.models.caps import ClassCap, Customer, CustomerClass
from apps.capacity.models.generation import GenerationReading, GenerationShare
from apps.capacity.models.projects import Project, ProjectRate
from apps.capacity.models.reservations import Reservation
from apps.capacity.models.waiting import WaitlistEntry

__all__ = [
    "Allocation",
    "CapacityBlock",
    "ClassCap",
    "Customer",
    "CustomerClass",
    "GenerationReading",
    "GenerationShare",
    "Project",
    "ProjectRate",
    "Reservation",
    "WaitlistEntry",
]
