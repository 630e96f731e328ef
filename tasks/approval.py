"""Waiting for the people who have to agree: nothing is held while they think."""

from blocks.domain.approval import Approval, Question, approval_of
from blocks.domain.errors import Parked
from blocks.domain.plan import Plan
from blocks.work import Work
from tasks.kinds import Undo, step


@step(Undo.NEEDLESS)
async def approval(work: Work, plan: Plan) -> Approval:
    """Who agreed to exactly this plan; raises `Parked` until enough have, where the environment's policy asks for it."""
    request = work.order.request
    policy = approval_of(request.environment, work.order.verb, wanted=request.options.require_approval)
    if policy is None:
        return Approval(plan.hash, ())
    *_, asked = await work.tools.journal.read(work.operation)
    # Nobody agrees to a wish of their own, even one that a watch of theirs has carried to us.
    question = Question.about(plan.hash, work.order.wish.behalf or work.order.actor, policy, asked.at)
    needed = f"{policy.quorum} of {', '.join(question.roles)}"
    raise Parked(f"{needed} must approve {plan.hash}", "see the plan, then approve or refuse it", question.write())
