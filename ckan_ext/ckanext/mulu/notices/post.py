"""Mail by the portal's own SMTP settings (``smtp.server``, ``smtp.starttls``, ``smtp.user``, ``smtp.password``, ``smtp.mail_from``)."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import formataddr, formatdate

import ckan.plugins.toolkit as tk

from ckanext.mulu import entries
from ckanext.mulu.notices.letters import Letter

TIMEOUT = 30
"""Seconds to wait for the mail server."""


class ServerDown(Exception):
    """The server cannot be reached or takes no mail now: no fault of this message."""


class Refused(Exception):
    """This message or its address is refused for good (SMTP 5xx): to try again is no use."""


def message(letter: Letter, subject: str, to: str, number: int, *, attach: bool = False) -> EmailMessage:
    """Text with HTML beside it. ``number``: of the delivery, for a Message-ID that stays the same in every attempt.

    attach: the letter as PDF as well, for those who cannot open it on the portal. Refused: the address cannot be written to.
    """
    sender = tk.config["smtp.mail_from"]
    mail = EmailMessage()
    try:
        mail["To"] = to
        mail["From"] = formataddr((f"{entries.profile().name}政务数据目录", sender))
        mail["Subject"] = " ".join(subject.split())
    except ValueError as error:
        raise Refused(f"地址不能用：{error}") from None
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = f"<mulu.{number}.{tk.config['ckan.site_id']}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if tk.config["smtp.reply_to"]:
        mail["Reply-To"] = tk.config["smtp.reply_to"]
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    if attach:
        mail.add_attachment(letter.pdf(), maintype="application", subtype="pdf", filename=f"{letter.title}.pdf")
    return mail


class Server:
    """A connection that is opened with the first mail and opened anew when the server has hung up."""

    def __init__(self) -> None:
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def send(self, mail: EmailMessage) -> None:
        """Hand over one mail. ServerDown: later again; Refused: never."""
        try:
            connection = self._connection or self._open()
            connection.send_message(mail, from_addr=tk.config["smtp.mail_from"])
        except smtplib.SMTPRecipientsRefused as refused:
            self._reset()
            code, told = next(iter(refused.recipients.values()))
            raise _error(code, told) from None
        except smtplib.SMTPDataError as refused:
            self._reset()
            raise _error(refused.smtp_code, refused.smtp_error) from None
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            self._reset()
            raise Refused(str(error)) from None
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise ServerDown(f"邮件服务器没有应答或者没有收下（{' '.join(str(error).split())}）") from None

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (OSError, smtplib.SMTPException):
                connection.close()

    def _reset(self) -> None:
        """After a refusal; some servers hang up instead of going on."""
        try:
            if self._connection is not None:
                self._connection.rset()
        except (OSError, smtplib.SMTPException):
            self.close()

    def _open(self) -> smtplib.SMTP:
        connection = smtplib.SMTP(tk.config["smtp.server"], timeout=TIMEOUT)
        self._connection = connection
        if tk.config["smtp.starttls"]:
            connection.starttls()
        if tk.config["smtp.user"]:
            connection.login(tk.config["smtp.user"], tk.config["smtp.password"])
        return connection


def _error(code: int, told: bytes | str) -> Exception:
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else told
    said = f"{code} {' '.join(text.split())}"
    return Refused(said) if 500 <= code < 600 else Temporary(said)


class Temporary(Exception):
    """This message is not taken now (SMTP 4xx): the next one may be."""
