"""What the pages' scripts say, in the active language; ``%s`` stands for the value."""

from django.utils.translation import gettext as _


def texts_of_live() -> dict[str, str]:
    """The status line and the button of live updates."""
    return {
        "updated": _("Updated at %s"),
        "pause": _("Pause live updates"),
        "resume": _("Resume live updates"),
        "paused": _("Live updates are paused"),
        "lost": _("No connection. The values may be old."),
    }


def texts_of_board() -> dict[str, str]:
    """Live updates and the map."""
    return {
        **texts_of_live(),
        "free": _("%s free"),
        "none": _("No data"),
        "simulated": _("simulated"),
        "destination": _("Your destination: %s"),
        "whole": _("Show all places"),
        "centre": _("Show the inner city"),
        "map": _("Map of the places to park"),
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "scrollZoom": _("Hold Ctrl and scroll to zoom the map"),
        "scrollZoomMac": _("Hold ⌘ and scroll to zoom the map"),
        "twoFingers": _("Move the map with two fingers"),
        "failed": _("The map cannot be drawn on this device. The list has all values."),
    }


def texts_of_car_park() -> dict[str, str]:
    """Live updates and the charts."""
    return {
        **texts_of_live(),
        "none": _("no data"),
        "nothing": _("no data"),
        "implausible": _("implausible"),
        "failed": _("The chart could not be loaded. The table has the values."),
    }
