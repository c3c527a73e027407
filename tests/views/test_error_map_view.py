import numpy as np

from explorer.measure.maps import ErrorMap
from explorer.views.maps import ErrorMapView


def test_cells_are_parts_of_the_scale():
    view = ErrorMapView()
    values = np.array([[0.0, 0.05, 0.1, 0.7]], np.float32)
    view.draw(ErrorMap(values, 0.1, 0.25, (4, 12), stride=3))
    canvas = view._canvas
    assert list(canvas.cells) == [0, 128, 255, 255]
    assert (canvas.rows, canvas.columns, canvas.palette) == (1, 4, "error")
    assert canvas.data == {"error": "0.2500"}
    assert canvas.label == "Error map of a 4 × 12 matrix: relative error 25.0%"
    assert "0.1 or more" in view._legend.value
    assert "One weight in 3 shown." in view._caption.value
    view.close()
