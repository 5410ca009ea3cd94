"""What is filed (Application) and our running file (Case, Track, Task and everything hanging on them).

Foreign keys stay within this wing; provider codes, person ids and document ids are bare values written by
`portal.journey`. There is one task per (case, provider, stage): a new round raises its `revision`.
"""

from portal.cases.tables.application import Application, MaterialFile
from portal.cases.tables.case import Case, CaseEvent, Track
from portal.cases.tables.conflict import AnswerConflict
from portal.cases.tables.joint import Confirmation, Contract, JointReply, Visit
from portal.cases.tables.quoting import QuoteChange
from portal.cases.tables.task import ConnectionPoint, Decision, Drawing, Pause, Question, Task, TaskReport
from portal.cases.tables.visiting import Crew, VisitProposal, VisitRound
from portal.cases.tables.works_plan import JointWorks

__all__ = [
    "AnswerConflict",
    "Application",
    "Case",
    "CaseEvent",
    "Confirmation",
    "ConnectionPoint",
    "Contract",
    "Crew",
    "Decision",
    "Drawing",
    "JointReply",
    "JointWorks",
    "MaterialFile",
    "Pause",
    "Question",
    "QuoteChange",
    "Task",
    "TaskReport",
    "Track",
    "Visit",
    "VisitProposal",
    "VisitRound",
]
