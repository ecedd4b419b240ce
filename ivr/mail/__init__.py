"""The mail room: the only one that speaks SMTP. What is said, and to whom, `ivr.fieldwork` decides."""

from ivr.mail.post import FilePost, Post, SmtpPost, open_post

__all__ = ["FilePost", "Post", "SmtpPost", "open_post"]
