"""The pages of the portal. Each asks an action and renders a template; none decides anything."""

from ckanext.mulu.views.batch import mulu_batch
from ckanext.mulu.views.cases import mulu_case
from ckanext.mulu.views.class_change import mulu_class
from ckanext.mulu.views.data import mulu_data
from ckanext.mulu.views.entries import mulu_entry
from ckanext.mulu.views.imports import mulu_import
from ckanext.mulu.views.inbox import mulu_inbox
from ckanext.mulu.views.javascript_words import mulu_words

__all__ = ["mulu_batch", "mulu_case", "mulu_class", "mulu_data", "mulu_entry", "mulu_import", "mulu_inbox", "mulu_words"]
