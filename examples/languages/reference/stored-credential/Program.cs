using System.Collections.Generic;
using System.Linq;
using Pulumi;
using LivekitSip = Pulumi.LivekitSip;

return await Deployment.RunAsync(() => 
{
    var config = new Config();
    var kamailioDatabase = config.RequireSecret("kamailioDatabase");
    var stored = LivekitSip.KamailioCredential.Invoke(new()
    {
        Url = kamailioDatabase,
        Username = "1011",
    });

    var office = new LivekitSip.SipTrunk("office", new()
    {
        Type = LivekitSip.SipTrunkType.Extension,
        Extension = "1011",
        Address = "pbx.acme.com",
        Country = "US",
        Credential = stored.Apply(kamailioCredentialResult => kamailioCredentialResult.Credential),
    });

});

