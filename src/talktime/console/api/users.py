"""`.../users` and `groups`: who may call, with which licences."""

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Path
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.refusals import refuse_rows
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    IdText,
    Page,
    Sent,
    Shown,
    listing,
    not_of_this_list,
)
from talktime.core.directory import USER_KINDS
from talktime.core.keys import READ, USERS
from talktime.core.licensing import LicenceGroup
from talktime.core.limits import (
    GROUP_NAME_TEXT_MAX,
    REASON_TEXT_MAX,
    USER_NAME_TEXT_MAX,
    USERS_REQUEST_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile, RowErrors
from talktime.operations.input_checks import can_be_stored
from talktime.operations.licence_groups import (
    change_group,
    create_group,
    delete_group,
    find_group,
    list_groups,
    list_members,
)
from talktime.operations.user_file import change_of_document, user_document
from talktime.operations.users import UserRow, find_holder, list_holders, put_users

SEES = (READ, USERS)
users = Resource(
    "Users", "Who may call: licences, policies, limits; read in pages, written in bulk."
)
groups = Resource("Groups", "Groups of users that share licences.")
Answer = dict[str, Any]
Licences = list[str]


class User(Shown):
    """A user. `licences` are their own; `all_licences`, those of their groups too, count."""

    name: str
    display_name: str
    usage_location: str
    licences: Licences
    groups: list[str]
    policy: str
    spend_limit: Amount | None
    toll_free_dial_in: bool
    kind: str
    active: bool
    id: IdText
    organisation_id: IdText
    all_licences: Licences


class UsersWritten(Shown):
    """How many users were made, changed, and as they are already."""

    created: int
    changed: int
    unchanged: int
    dry_run: bool


class Group(Shown):
    """A group of users: whoever is in it has its licences."""

    name: str
    group_id: IdText
    licences: Licences


class SentUser(Sent):
    """A user as sent: what is not named stays, or is the default of a new user."""

    name: str
    display_name: str = ""
    usage_location: str = ""
    licences: Licences = []
    groups: list[str] = []
    policy: str = ""
    spend_limit: str | None = Field(None, description="Null for none.", examples=["25"])
    toll_free_dial_in: bool = True
    kind: str = Field(USER_KINDS[0], json_schema_extra={"enum": list(USER_KINDS)})
    active: bool = True
    reason: str = Field(
        "",
        max_length=REASON_TEXT_MAX,
        description="Why the user is blocked, or may call again; kept where `active` changes.",
    )


class SentUsers(Sent):
    """Users to be made and changed by name: all, or none."""

    users: list[SentUser] = Field(min_length=1, max_length=USERS_REQUEST_MAX)
    dry_run: bool = False


class SentGroup(Sent):
    """A group as sent."""

    name: str = Field(min_length=1, max_length=GROUP_NAME_TEXT_MAX)
    licences: Licences = []


class SentLicences(Sent):
    """All licences of a group from now on."""

    licences: Licences


GroupName = Annotated[str, Path(max_length=GROUP_NAME_TEXT_MAX, description="A group's name.")]
UserName = Annotated[str, Path(max_length=USER_NAME_TEXT_MAX, description="A user's sign-in name.")]
HELD = ("licence_not_possible", "unknown_group")


@users.reads("/users", listing("users", User), by=SEES)
def get_users(asked: Asked, page: AskedPage) -> Answer:
    """The users, by name."""
    with asked.cell.reading():
        found = list_holders(asked.cell, asked.owner, after=_name(page), limit=page.limit)
    answer: Answer = asked.page(page, "users", found, lambda each: each.user.name)
    return {**answer, "users": [user_document(each) for each in found]}


@users.does(
    *("POST", "/users", UsersWritten),
    by=(USERS,),
    refusals=("users_not_possible",),
    sent={"users": [{"name": "front-desk@contoso.example", "licences": ["MCOEV", "MCOPSTN1"]}]},
)
def post_users(asked: Asked, sent: SentUsers) -> Answer | HttpResponse:
    """Make and change users by name.

    All of them, or none: `errors` names each that cannot be written by its place in the list.
    """
    rows, errors = [], RowErrors()
    for place, user in enumerate(sent.users):
        try:
            change = change_of_document(user.model_dump(exclude_unset=True))
            rows.append(UserRow(place, change))
        except ValueError as error:
            errors.add(place, str(error))
    catalogue = asked.catalogue
    with asked.cell.transaction():
        written = put_users(
            *(asked.cell, asked.owner, rows, errors),
            catalogue=catalogue,
            next_id=asked.next_id,
            dry_run=sent.dry_run,
        )
    if isinstance(written, BadFile):
        return refuse_rows("users_not_possible", written)
    return written._asdict()


@users.reads("/users/{user}", User, by=SEES, refusals=("unknown_user",))
def get_user(asked: Asked, user: UserName) -> Answer | Refusal:
    """One user."""
    with asked.cell.reading():
        found = find_holder(asked.cell, asked.owner, user)
    return found if isinstance(found, Refusal) else user_document(found)


@groups.reads("/groups", listing("groups", Group, paged=False), by=SEES)
def get_groups(asked: Asked) -> Answer:
    """All groups, by name."""
    with asked.cell.reading():
        found = list_groups(asked.cell, asked.owner)
    return {"groups": [_group(each) for each in found]}


@groups.does(
    *("POST", "/groups", Group),
    by=(USERS,),
    refusals=("already_exists",),
    sent={"name": "sales", "licences": ["MCOEV", "MCOPSTN2"]},
)
def post_group(asked: Asked, sent: SentGroup) -> Answer | Refusal:
    """Make a group, without members."""
    catalogue = asked.catalogue
    with asked.cell.transaction():
        made = create_group(
            *(asked.cell, asked.owner),
            name=sent.name,
            licences=frozenset(sent.licences),
            catalogue=catalogue,
            next_id=asked.next_id,
        )
    return _group(made)


@groups.reads("/groups/{group}", Group, by=SEES, refusals=HELD[1:])
def get_group(asked: Asked, group: GroupName) -> Answer | Refusal:
    """One group."""
    with asked.cell.reading():
        return _group(find_group(asked.cell, asked.owner, group))


@groups.does(
    *("PUT", "/groups/{group}", Group),
    by=(USERS,),
    refusals=HELD,
    sent={"licences": ["MCOEV", "MCOPSTN1"]},
)
def put_group(asked: Asked, sent: SentLicences, group: GroupName) -> Answer | Refusal:
    """Give a group, and so all its members, other licences."""
    catalogue = asked.catalogue
    with asked.cell.transaction():
        licences = frozenset(sent.licences)
        return _group(
            change_group(asked.cell, asked.owner, group, licences=licences, catalogue=catalogue)
        )


@groups.does("DELETE", "/groups/{group}", Group, by=(USERS,), refusals=HELD)
def delete_group_(asked: Asked, group: GroupName) -> Answer | Refusal:
    """Forget a group; its members keep the licences of their own."""
    catalogue = asked.catalogue
    with asked.cell.transaction():
        return _group(delete_group(asked.cell, asked.owner, group, catalogue=catalogue))


@groups.reads("/groups/{group}/members", listing("users", User), by=SEES, refusals=HELD[1:])
def get_members(asked: Asked, page: AskedPage, group: GroupName) -> Answer | Refusal:
    """The members of a group, by name."""
    with asked.cell.reading():
        whose = find_group(asked.cell, asked.owner, group)
        if isinstance(whose, Refusal):
            return whose
        found = list_members(asked.cell, whose, after=_name(page), limit=page.limit)
    answer: Answer = asked.page(page, "users", found, lambda each: each.user.name)
    return {**answer, "users": [user_document(each) for each in found]}


def _name(page: Page) -> str:
    """The cursor of a list whose places are names. Raises Refused."""
    if not can_be_stored(page.cursor):
        raise not_of_this_list()
    return page.cursor


def _group(group: LicenceGroup | Refusal) -> Answer | Refusal:
    if isinstance(group, Refusal):
        return group
    licences = sorted(group.licences)
    return {"name": group.name, "group_id": str(group.id), "licences": licences}
