"""Credit-Control-Requests as other people's library writes them, in the form that Kamailio's
have."""

from datetime import datetime
from typing import Any

from diameter.message import Message
from diameter.message.avp.grouped import (
    GrantedServiceUnit,
    ImsInformation,
    RequestedServiceUnit,
    ServiceInformation,
    TimeStamps,
    UsedServiceUnit,
)
from diameter.message.commands import CreditControlRequest
from diameter.message.commands.capabilities_exchange import CapabilitiesExchangeRequest
from diameter.message.commands.device_watchdog import DeviceWatchdogRequest
from diameter.message.commands.disconnect_peer import DisconnectPeerRequest

HOST, REALM = "kamailio.contoso.example", "contoso.example"
OUR_HOST, OUR_REALM = "charging.talktime.example", "talktime.example"
CONTEXT = "ext.01.001.8.32260@3gpp.org"
INITIAL, UPDATE, TERMINATION, EVENT = 1, 2, 3, 4
E164, SIP_URI = 0, 2
ORIGINATING, TERMINATING = 0, 1


def capabilities(
    host: str = HOST, realm: str = REALM, application: int = 4, address: str = "127.0.0.1"
) -> Message:
    """A Capabilities-Exchange-Request."""
    asked = CapabilitiesExchangeRequest()
    asked.origin_host, asked.origin_realm = host.encode(), realm.encode()
    asked.host_ip_address = [address]
    asked.vendor_id, asked.product_name = 10415, "a client"
    asked.auth_application_id = [application]
    return asked


def watchdog(host: str = HOST, realm: str = REALM) -> Message:
    """A Device-Watchdog-Request."""
    asked = DeviceWatchdogRequest()
    asked.origin_host, asked.origin_realm = host.encode(), realm.encode()
    return asked


def goodbye(host: str = HOST, realm: str = REALM) -> Message:
    """A Disconnect-Peer-Request."""
    asked = DisconnectPeerRequest()
    asked.origin_host, asked.origin_realm, asked.disconnect_cause = host.encode(), realm.encode(), 0
    return asked


def credit(
    session: str,
    kind: int,
    number: int,
    *,
    asked: int | None = None,
    used: int | None = None,
    unit: str = "cc_time",
    calling: str = "",
    called: str = "",
    subscription: tuple[int, str] | None = None,
    role: int = ORIGINATING,
    at: datetime | None = None,
    grouped: bool = True,
    host: str = HOST,
    **more: Any,
) -> CreditControlRequest:
    """A Credit-Control-Request; `grouped` has its units in Multiple-Services-Credit-Control."""
    found = CreditControlRequest()
    found.header.is_proxyable, found.header.application_id = True, 4
    found.session_id = session
    found.origin_host, found.origin_realm = host.encode(), REALM.encode()
    found.destination_realm, found.destination_host = OUR_REALM.encode(), OUR_HOST.encode()
    found.auth_application_id, found.service_context_id = 4, CONTEXT
    found.cc_request_type, found.cc_request_number = kind, number
    if subscription is not None:
        found.add_subscription_id(*subscription)
    requested = RequestedServiceUnit(**{unit: asked}) if asked is not None else None
    reported = UsedServiceUnit(**{unit: used}) if used is not None else None
    if grouped and (requested or reported):
        found.add_multiple_services_credit_control(
            requested_service_unit=requested,
            used_service_unit=[reported] if reported else [],
            service_identifier=[1000],
            rating_group=100,
        )
    elif requested or reported:
        found.requested_service_unit = requested
        found.used_service_unit = [reported] if reported else []
    if calling or called:
        ims = ImsInformation(role_of_node=role, node_functionality=6, user_session_id="1@ua")
        ims.calling_party_address = [calling] if calling else []
        ims.called_party_address = called or None
        if at is not None:
            ims.time_stamps = TimeStamps(sip_request_timestamp=at)
        found.service_information = ServiceInformation(ims_information=ims)
    for name, value in more.items():
        setattr(found, name, value)
    return found


def units(cc_time: int) -> GrantedServiceUnit:
    """So many seconds, granted."""
    return GrantedServiceUnit(cc_time=cc_time)


def failed_codes(answer: Any) -> list[int]:
    """The codes of the AVPs that a refusal is about."""
    return [avp.code for failed in answer.failed_avp for avp in failed.additional_avps]
