"""What is typed about one user."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from talktime.console.billing.forms import Money
from talktime.console.shared_forms import SharedForm
from talktime.core.directory import User
from talktime.core.limits import NAME_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.operations.user_changes import NO_LIMIT, UserChange


class SettingsForm(SharedForm):
    """Name for people, place, policy, spend limit, toll-free dial-in."""

    display_name = forms.CharField(label=_("Display name"), max_length=NAME_TEXT_MAX)
    usage_location = forms.CharField(label=_("Usage location"), min_length=2, max_length=2)
    policy = forms.CharField(label=_("Dial-out policy"), required=False)
    spend_limit = Money(label=_("Monthly spend limit"), required=False)
    toll_free_dial_in = forms.BooleanField(
        label=_("Let people join this user's meetings on toll-free numbers"), required=False
    )

    @staticmethod
    def initial_of(user: User) -> dict[str, Any]:
        """The user's settings as they are typed."""
        limit = user.spend_limit_micros
        return {
            "display_name": user.display_name,
            "usage_location": user.usage_location,
            "policy": user.policy,
            "spend_limit": "" if limit is None else decimal_text(limit),
            "toll_free_dial_in": user.toll_free_dial_in,
        }

    def change_of(self, name: str) -> UserChange:
        """The change of the user with this sign-in name."""
        typed = self.cleaned_data
        limit = typed["spend_limit"]
        return UserChange(
            name,
            display_name=typed["display_name"],
            usage_location=typed["usage_location"].upper(),
            policy=typed["policy"],
            spend_limit_micros=NO_LIMIT if limit is None else limit,
            toll_free_dial_in=typed["toll_free_dial_in"],
        )
