"""The pages of the portal. Each asks an action and renders a template; none decides anything."""

from ckanext.mulu.views.api_document import mulu_api_document
from ckanext.mulu.views.apply import mulu_apply
from ckanext.mulu.views.attachments import mulu_attachment
from ckanext.mulu.views.batch import mulu_batch
from ckanext.mulu.views.cases import mulu_case
from ckanext.mulu.views.class_change import mulu_class
from ckanext.mulu.views.data import mulu_data
from ckanext.mulu.views.entries import mulu_entry
from ckanext.mulu.views.feeds import mulu_feeds
from ckanext.mulu.views.grants import mulu_grants
from ckanext.mulu.views.harvest import mulu_harvest
from ckanext.mulu.views.imports import mulu_import
from ckanext.mulu.views.inbox import mulu_inbox
from ckanext.mulu.views.javascript_words import mulu_words
from ckanext.mulu.views.letters import mulu_letters
from ckanext.mulu.views.notices import mulu_notices
from ckanext.mulu.views.opening import mulu_open
from ckanext.mulu.views.overview import mulu_overview
from ckanext.mulu.views.public import mulu_public

__all__ = ["mulu_api_document", "mulu_apply", "mulu_attachment", "mulu_batch", "mulu_case", "mulu_class", "mulu_data", "mulu_entry", "mulu_feeds", "mulu_grants", "mulu_harvest", "mulu_import", "mulu_inbox", "mulu_letters", "mulu_notices", "mulu_open", "mulu_overview", "mulu_public", "mulu_words"]
