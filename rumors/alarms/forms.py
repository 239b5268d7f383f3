from django import forms


class SeeForm(forms.Form):
    key = forms.CharField(max_length=60, widget=forms.HiddenInput)
    level = forms.IntegerField(min_value=0, max_value=1000, widget=forms.HiddenInput)
    """As it was shown: what became worse meanwhile stays."""
