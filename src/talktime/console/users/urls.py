from django.urls import path

from talktime.console.users import (
    add_page,
    change_pages,
    check_page,
    group_pages,
    import_pages,
    list_page,
    number_changes,
    number_pages,
    rules_page,
    user_page,
)

USERS = "organisations/<int:organisation_id>/users/"
USER = f"{USERS}<int:user_id>/"
GROUP = f"{USERS}groups/<int:group_id>/"

urlpatterns = [
    path(USERS, list_page.users_page, name="users"),
    path(f"{USERS}export/", list_page.exported, name="export-users"),
    path(f"{USERS}add/", add_page.add_user, name="add-user"),
    path(f"{USERS}change/", change_pages.change_users, name="change-users"),
    path(f"{USERS}import/", import_pages.import_page, name="import-users"),
    path(f"{USERS}import/template/", import_pages.template, name="user-template"),
    path(f"{USERS}groups/", group_pages.groups_page, name="groups"),
    path(GROUP, group_pages.group_page, name="group"),
    path(f"{USERS}numbers/", number_pages.numbers_page, name="numbers"),
    path(f"{USERS}numbers/attach/", number_pages.attach, name="attach-number"),
    path(f"{USERS}numbers/assign/", number_changes.assign, name="assign-numbers"),
    path(f"{USERS}numbers/give-up/", number_changes.give_up, name="give-up-number"),
    path(f"{USERS}numbers/release/", number_changes.release, name="release-number"),
    path(f"{USERS}rules/", rules_page.calling_rules, name="calling-rules"),
    path(USER, user_page.user_page, name="user"),
    path(f"{USER}check/", check_page.check_page, name="check-call"),
]
