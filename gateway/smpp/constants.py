"""The numbers of SMPP 3.4 that code here names, taken from smpplib where it has them.

Command ids are section 5.1.2.1 of the specification, statuses 5.1.3, TLV tags 5.3.2,
``esm_class`` bits 5.2.12. Plain ``int`` rather than an ``IntEnum``: they are compared
for every PDU, and an enum member costs several times as much there.
"""

from __future__ import annotations

from typing import Final

from smpplib import command_codes, consts

COMMANDS: Final[dict[str, int]] = dict(command_codes.commands)
COMMAND_NAMES: Final[dict[int, str]] = {code: name for name, code in COMMANDS.items()}

RESPONSE: Final = 0x80000000
"""The bit that makes a command id that of the response."""

GENERIC_NACK: Final[int] = COMMANDS["generic_nack"]
BIND_RECEIVER: Final[int] = COMMANDS["bind_receiver"]
BIND_TRANSMITTER: Final[int] = COMMANDS["bind_transmitter"]
BIND_TRANSCEIVER: Final[int] = COMMANDS["bind_transceiver"]
SUBMIT_SM: Final[int] = COMMANDS["submit_sm"]
SUBMIT_SM_RESP: Final[int] = COMMANDS["submit_sm_resp"]
DELIVER_SM: Final[int] = COMMANDS["deliver_sm"]
DELIVER_SM_RESP: Final[int] = COMMANDS["deliver_sm_resp"]
DATA_SM: Final[int] = COMMANDS["data_sm"]
DATA_SM_RESP: Final[int] = COMMANDS["data_sm_resp"]
UNBIND: Final[int] = COMMANDS["unbind"]
UNBIND_RESP: Final[int] = COMMANDS["unbind_resp"]
ENQUIRE_LINK: Final[int] = COMMANDS["enquire_link"]
ENQUIRE_LINK_RESP: Final[int] = COMMANDS["enquire_link_resp"]
ALERT_NOTIFICATION: Final[int] = COMMANDS["alert_notification"]

ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RALYBND: Final = 0x05
RSYSERR: Final = 0x08
RINVSRCADR: Final = 0x0A
RINVDSTADR: Final = 0x0B
RBINDFAIL: Final = 0x0D
RINVPASWD: Final = 0x0E
RINVSYSID: Final = 0x0F
RMSGQFUL: Final = 0x14
RINVSERTYP: Final = 0x15
RSUBMITFAIL: Final = 0x45
RTHROTTLED: Final = 0x58
RINVSCHED: Final = 0x61
RINVEXPIRY: Final = 0x62
RX_T_APPN: Final = 0x64
RINVOPTPARSTREAM: Final = 0xC0
RINVPARLEN: Final = 0xC2

TLV_TAGS: Final[dict[str, int]] = dict(consts.OPTIONAL_PARAMS)
RECEIPTED_MESSAGE_ID: Final[int] = TLV_TAGS["receipted_message_id"]
USER_MESSAGE_REFERENCE: Final[int] = TLV_TAGS["user_message_reference"]
SAR_MSG_REF_NUM: Final[int] = TLV_TAGS["sar_msg_ref_num"]
SAR_TOTAL_SEGMENTS: Final[int] = TLV_TAGS["sar_total_segments"]
SAR_SEGMENT_SEQNUM: Final[int] = TLV_TAGS["sar_segment_seqnum"]
SC_INTERFACE_VERSION: Final[int] = TLV_TAGS["sc_interface_version"]
NETWORK_ERROR_CODE: Final[int] = TLV_TAGS["network_error_code"]
MESSAGE_PAYLOAD: Final[int] = TLV_TAGS["message_payload"]
MESSAGE_STATE: Final[int] = TLV_TAGS["message_state"]
USSD_SERVICE_OP: Final[int] = TLV_TAGS["ussd_service_op"]
ITS_SESSION_INFO: Final[int] = TLV_TAGS["its_session_info"]

ESM_RECEIPT: Final = 0x04
ESM_DELIVERY_ACK: Final = 0x08
ESM_USER_ACK: Final = 0x10
ESM_INTERMEDIATE: Final = 0x20
ESM_UDHI: Final = 0x40
ESM_MESSAGE_TYPE: Final = 0x3C
"""The bits of ``esm_class`` that say what kind of message it is."""

MAX_ADDRESS: Final = 20
"""Characters of an address, without its NUL."""
MAX_MESSAGE_ID: Final = 64
"""Characters of a message_id, without its NUL."""
MAX_SHORT_MESSAGE: Final = 254
"""Octets of ``short_message``; 255 can be counted on the wire but is not legal."""
MAX_TLV: Final = 0xFFFF
MAX_SEQUENCE: Final = 0x7FFFFFFF
MAX_STATUS: Final = 0xFFFFFFFF
HEADER_SIZE: Final = 16
MAX_PDU: Final = 128 * 1024
"""The longest PDU taken: a ``message_payload`` of 64 KiB and room for everything else."""


def describe(status: int) -> str:
    """Return a status in words and as its number: ``invalid password (0x0E)``."""
    words = consts.DESCRIPTIONS.get(status)
    if words is None or words.startswith("<"):
        words = "unknown error" if status else "no error"
    return f"{words.lower()} (0x{status:02X})"
