"""One caller's visit: who it is, what may be reached, and the questions that routes ask."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import HTTPBearer

from blocks.domain.approval import Speaker
from blocks.domain.status import InstallationView, OperationView
from deployments.api.identity import Caller, Forbidden
from deployments.api.later import start_later
from deployments.api.ports import Ports
from deployments.api.problems import Unknown


@dataclass(frozen=True)
class Visit:
    """One request of one caller."""

    ports: Ports
    caller: Caller
    background: BackgroundTasks

    async def find(self, installation: UUID) -> InstallationView:
        """The installation, or `Unknown` if there is none or it is of a tenant that the caller does not see."""
        view = await self.ports.views.installation(installation)
        if view is None or not self.caller.sees(view.tenant):
            raise Unknown(f"there is no installation {installation}", "pluginctl list shows what there is")
        return view

    async def find_to_change(self, installation: UUID) -> InstallationView:
        """The installation, or `Forbidden` if the caller may only look at it."""
        view = await self.find(installation)
        self.must_change(view.tenant)
        return view

    async def find_operation(self, named: "Named") -> OperationView:
        """The operation, or `Unknown` if it is not one of that installation."""
        view = await self.find(named.installation)
        found = await self.ports.views.operation(named.operation)
        if found is None or found.installation != view.id:
            said = f"there is no operation {named.operation} on installation {view.id}"
            raise Unknown(said, "the installation names its newest")
        return found

    @property
    def speaker(self) -> Speaker:
        """The caller as somebody who has a say."""
        return Speaker(self.caller.subject, frozenset(role.value for role in self.caller.roles))

    def must_change(self, tenant: str) -> None:
        """Nothing if the caller may install and uninstall in the tenant, else `Forbidden`."""
        if not self.caller.may_change(tenant):
            raise Forbidden(f"this token may not change anything in tenant {tenant}", "ask for role developer in that tenant")

    def must_waive(self, tenant: str) -> None:
        """Nothing if the caller may waive findings in the tenant, else `Forbidden`."""
        if not self.caller.may_waive(tenant):
            raise Forbidden(
                f"this token may not waive anything in tenant {tenant}", "ask somebody with role security in that tenant"
            )

    def must_see(self, tenant: str) -> None:
        """Nothing if the caller may look at the tenant, else `Forbidden`."""
        if not self.caller.sees(tenant):
            raise Forbidden(f"this token may not see tenant {tenant}", "ask for a role in that tenant")

    def must_audit(self) -> None:
        """Nothing if the caller may read the journal of every tenant, else `Forbidden`."""
        if not self.caller.may_audit():
            raise Forbidden("this token may not audit", "ask for role security or admin in every tenant")

    def start(self, operation: UUID) -> None:
        """Start the run that carries the operation once the caller has the answer."""
        self.background.add_task(start_later, self.ports.dispatch, operation)


@dataclass(frozen=True)
class Named:
    """The operation that the address names, and the installation that it is named on."""

    installation: UUID
    operation: UUID


async def open_visit(request: Request, background: BackgroundTasks) -> Visit:
    """The visit of this request's caller, or `Forbidden` for a token without any role."""
    caller: Caller = request.state.caller
    if not caller.roles:
        raise Forbidden("this token has no role", "ask for one of viewer, developer, approver, security, admin")
    return Visit(request.app.state.ports, caller, background)


OfOperation = Annotated[Named, Depends()]
OpenVisit = Annotated[Visit, Depends(open_visit)]


def describe_bearer() -> Any:
    """Tells readers of the description that a token is needed; the guard in front of the app has checked it by then."""
    return Depends(HTTPBearer(auto_error=False, bearerFormat="JWT", description="a token with the claims sub, tenants and roles"))
