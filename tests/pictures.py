"""Comparison of figures with pictures of how they looked when they were right."""

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

# Letters look different in each version of matplotlib and are tested above; here stands what they label. A
# line that is lost or in the wrong place is above the tolerance: losing the thin lines of thresholds gives 2.
picture = pytest.mark.mpl_image_compare(style="default", tolerance=1.5, savefig_kwargs={"dpi": 60})


def without_letters(fig: Figure) -> Figure:
    for ax in fig.findobj(Axes):
        ax.tick_params(labelbottom=False, labelleft=False)
    for item in fig.findobj(Text):
        # An annotation keeps its arrow.
        item.set_alpha(0.0)
        if item.get_bbox_patch() is not None:
            item.get_bbox_patch().set_alpha(0.0)
    return fig
